# One row, taken as a Series and reshaped.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

df = pd.read_csv("cars.csv")
# %% [feature]
df["Age"] = 2020 - df["Year"]
df["Petrol"] = (df["Fuel_Type"] == "Petrol").astype(int)
X = df[["Present_Price", "Kms_Driven", "Age", "Petrol"]]
y = df["Selling_Price"]
# %% [train]
forest = RandomForestRegressor(n_estimators=30, random_state=0).fit(X.values, y.values)
# %% [predict]
car = X.iloc[42]
price = forest.predict(car.values.reshape(1, -1))[0]
price
