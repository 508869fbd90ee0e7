# The table that is predicted on has one row a customer; the raw table has one row an order.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

orders = pd.read_csv("orders.csv")
# %% [feature]
orders["amount"] = orders["quantity"] * orders["unit_price"]
customers = orders.groupby("customer_id").agg(
    n_orders=("order_id", "count"),
    spent=("amount", "sum"),
    mean_quantity=("quantity", "mean"),
    ever_returned=("returned", "max"),
)
customers["spent_per_order"] = customers["spent"] / customers["n_orders"]
X = customers.drop(columns="ever_returned")
y = customers["ever_returned"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
# %% [train]
lr = LogisticRegression(max_iter=500).fit(X_train, y_train)
# %% [predict]
y_pred = lr.predict(X_test)
