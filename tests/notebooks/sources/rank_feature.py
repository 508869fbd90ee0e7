# A rank has no meaning for one row.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.read_csv("cars.csv")
# %% [feature]
df["age"] = 2020 - df["Year"]
df["price_rank"] = df["Present_Price"].rank()
X = df[["age", "price_rank"]]
# %% [train]
lr = LinearRegression().fit(X[:240], df["Selling_Price"][:240])
# %% [predict]
y_pred = lr.predict(X[240:])
