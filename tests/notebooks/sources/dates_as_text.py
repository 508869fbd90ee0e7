# Dates parsed without a format; calendar features.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
# %%
orders = pd.read_csv("orders.csv")
orders.head(3)
# %% [feature]
orders["order_date"] = pd.to_datetime(orders["order_date"])
orders["month"] = orders["order_date"].dt.month
orders["weekday"] = orders["order_date"].dt.day_name()
orders["evening"] = orders["order_date"].dt.hour >= 18
orders["days_since_new_year"] = (orders["order_date"] - pd.Timestamp("2024-01-01")).dt.days
orders["amount"] = orders["quantity"] * orders["unit_price"]
# %% [feature]
X = pd.get_dummies(orders[["month", "weekday", "evening", "days_since_new_year", "amount", "quantity"]])
y = orders["returned"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=4)
# %% [train]
rf = RandomForestClassifier(n_estimators=40, max_depth=6, random_state=4)
rf.fit(X_train, y_train)
# %% [predict]
returned = rf.predict_proba(X_test)[:, 1]
