# A literal that looks like a key: a warning, not a reason to refuse.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
# %%
API_KEY = "sk-live-4f9a0c1d7be2438fa6c5e0b9"
df = pd.read_csv("cars.csv")
# %% [feature]
df["age"] = 2020 - df["Year"]
X = df[["age", "Present_Price"]]
# %% [train]
lr = LinearRegression().fit(X[:200], df["Selling_Price"][:200])
# %% [predict]
y_pred = lr.predict(X[200:])
