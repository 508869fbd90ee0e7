# Filters in feature code: duplicates, quantiles, the target, and one rule about the row itself.

# %%
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import train_test_split

df = pd.read_csv("cars.csv")
# %% [feature]
df = df.drop_duplicates()
df = df[df["Selling_Price"] < 20]
df = df[df["Kms_Driven"] < df["Kms_Driven"].quantile(0.99)]
df = df[df["Fuel_Type"] != "CNG"]
df.shape
# %% [feature]
df["Age"] = 2020 - df["Year"]
df["Diesel"] = df["Fuel_Type"].apply(lambda x: 1 if x == "Diesel" else 0)
df["Dealer"] = df["Seller_Type"].apply(lambda x: 1 if x == "Dealer" else 0)
X = df[["Age", "Present_Price", "Kms_Driven", "Diesel", "Dealer"]]
y = df["Selling_Price"]
# %%
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=2)
# %% [train]
gbr = GradientBoostingRegressor(n_estimators=60, random_state=2).fit(X_train, y_train)
# %% [predict]
y_hat = gbr.predict(X_test)
