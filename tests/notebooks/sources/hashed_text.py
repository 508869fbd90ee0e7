# Python's hash() of text differs from process to process.

# %%
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

df = pd.read_csv("cars.csv")
# %% [feature]
df["name_bucket"] = df["Car_Name"].apply(lambda s: hash(s) % 32)
X = df[["name_bucket", "Year", "Present_Price"]]
# %% [train]
tree = DecisionTreeRegressor(max_depth=6, random_state=0).fit(X[:240], df["Selling_Price"][:240])
# %% [predict]
y_pred = tree.predict(X[240:])
