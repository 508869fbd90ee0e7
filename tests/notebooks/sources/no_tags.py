# An ordinary notebook that nobody has tagged.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.read_csv("cars.csv")
# %%
df["age"] = 2020 - df["Year"]
X = df[["age", "Present_Price"]]
# %%
lr = LinearRegression().fit(X[:200], df["Selling_Price"][:200])
# %%
y_pred = lr.predict(X[200:])
