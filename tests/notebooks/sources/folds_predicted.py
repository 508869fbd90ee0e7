# Predictions of a cross-validation: no model is left.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

df = pd.read_csv("passengers.csv")
# %% [feature]
df["Fare"] = df["Fare"].fillna(0)
X = df[["Pclass", "SibSp", "Fare"]]
# %% [train]
model = LogisticRegression()
# %% [predict]
y_pred = cross_val_predict(model, X, df["Survived"], cv=5)
