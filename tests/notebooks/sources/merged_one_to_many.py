# A merge with a table that has several rows for a key: rows multiply.

# %%
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

orders = pd.read_csv("orders.csv")
offers = pd.DataFrame(
    {"category": ["books", "books", "toys", "garden", "garden", "music"], "offer": [5, 10, 5, 20, 10, 5]}
)
# %% [feature]
df = orders.merge(offers, on="category", how="left")
df["offer"] = df["offer"].fillna(0)
X = df[["quantity", "unit_price", "offer"]]
y = df["returned"]
# %% [train]
tree = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X[:1200], y[:1200])
# %% [predict]
y_pred = tree.predict(X[1200:])
