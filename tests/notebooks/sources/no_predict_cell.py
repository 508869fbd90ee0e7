# Features and training are tagged, the prediction is not.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.read_csv("cars.csv")
# %% [feature]
df["age"] = 2020 - df["Year"]
X = df[["age", "Present_Price"]]
# %% [train]
lr = LinearRegression().fit(X[:200], df["Selling_Price"][:200])
# %%
y_pred = lr.predict(X[200:])
