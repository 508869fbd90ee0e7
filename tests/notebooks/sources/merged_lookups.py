# A lookup file merged in, and tables computed from the rows merged and mapped back.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
# %%
orders = pd.read_csv("orders.csv")
cities = pd.read_csv("cities.csv")
# %% [feature]
df = orders.merge(cities, on="city_id", how="left")
df["region"] = df["region"].fillna("unknown")
df["population"] = df["population"].fillna(df["population"].mean())
# %% [feature]
per_category = df.groupby("category").agg(mean_price=("unit_price", "mean"), n=("order_id", "count")).reset_index()
df = df.merge(per_category, on="category", how="left")
df["dear"] = df["unit_price"] / df["mean_price"]
city_orders = df["city_id"].value_counts()
df["city_orders"] = df["city_id"].map(city_orders)
df["has_coupon"] = df["coupon"].notna()
df.head()
# %% [feature]
X = pd.get_dummies(df[["quantity", "unit_price", "dear", "n", "city_orders", "population", "region", "has_coupon"]])
y = df["returned"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=21)
# %% [train]
forest = RandomForestClassifier(n_estimators=40, max_depth=6, random_state=21)
forest.fit(X_train, y_train)
# %% [predict]
prob = forest.predict_proba(X_test)[:, 1]
