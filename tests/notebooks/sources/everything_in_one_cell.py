# One cell does it all, and carries all three tags.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
# %% [feature, train, predict]
df = pd.read_csv("cars.csv")
print(df.shape)
final = df[["Year", "Selling_Price", "Present_Price", "Kms_Driven", "Fuel_Type", "Seller_Type", "Transmission", "Owner"]].copy()
final["Current_Year"] = 2020
final["no_year"] = final["Current_Year"] - final["Year"]
final = final.drop(["Year", "Current_Year"], axis=1)
final = pd.get_dummies(final, drop_first=True)
print(final.corr()["Selling_Price"])
X = final.iloc[:, 1:]
y = final.iloc[:, 0]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=5)
model = RandomForestRegressor(n_estimators=50, random_state=5)
model.fit(X_train, y_train)
predictions = model.predict(X_test)
print(r2_score(y_test, predictions))
