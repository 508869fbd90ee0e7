# How many orders this customer made before: needs the customer's history.

# %%
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

orders = pd.read_csv("orders.csv")
# %% [feature]
orders["nth_order"] = orders.groupby("customer_id").cumcount()
orders["spent_so_far"] = orders.groupby("customer_id")["unit_price"].cumsum()
X = orders[["quantity", "nth_order", "spent_so_far"]]
# %% [train]
tree = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X[:900], orders["returned"][:900])
# %% [predict]
y_pred = tree.predict(X[900:])
