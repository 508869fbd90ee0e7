# One row of a scaled array is predicted and its label shown.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

df = pd.read_csv("cars.csv")
# %% [feature]
X = df[["Year", "Present_Price", "Kms_Driven"]].values
y = np.where(df["Selling_Price"] > 4, "dear", "cheap")
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)
# %% [train]
model = LogisticRegression().fit(X_train, y_train)
# %% [predict]
i = 7
model.predict([X_test[i]])
