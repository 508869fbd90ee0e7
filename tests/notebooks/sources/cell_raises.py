# A column's name is misspelt.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.read_csv("cars.csv")
# %% [feature]
df["age"] = 2020 - df["Year"]
df["per_km"] = df["Present_Price"] / df["Kms_driven"]
X = df[["age", "per_km"]]
# %% [train]
lr = LinearRegression().fit(X[:200], df["Selling_Price"][:200])
# %% [predict]
y_pred = lr.predict(X[200:])
