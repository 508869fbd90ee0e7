# A bracket is missing in a tagged cell.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.read_csv("cars.csv")
# %% [feature]
df["age"] = 2020 - df["Year"]
X = df[["age", "Present_Price"]
# %% [train]
lr = LinearRegression().fit(X[:200], df["Selling_Price"][:200])
# %% [predict]
y_pred = lr.predict(X[200:])
