# Scaler and model are saved to files, and the predict cell loads them again.

# %%
import pickle

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
# %%
df = pd.read_csv("loans.csv")
X = df[["Seniority", "Age", "Expenses", "Amount", "Price"]]
y = df["Status"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=60)
# %% [feature]
scaler = StandardScaler().fit(X_train)
joblib.dump(scaler, "scaler.joblib")
# %% [train]
model = LogisticRegression().fit(scaler.transform(X_train), y_train)
with open("model.pkl", "wb") as f:
    pickle.dump(model, f)
# %% [feature, predict]
scaler = joblib.load("scaler.joblib")
model = pickle.load(open("model.pkl", "rb"))
predictions = model.predict(scaler.transform(X_test))
np.unique(predictions, return_counts=True)
