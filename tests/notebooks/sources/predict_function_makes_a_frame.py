# The predicting function calls another one, makes a frame of one row, has a default and a branch that no call took.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.read_csv("cars.csv")
THIS_YEAR = 2020
# %% [feature]
df["Age"] = THIS_YEAR - df["Year"]
df["Petrol"] = (df["Fuel_Type"] == "Petrol").astype(int)
columns = ["Present_Price", "Kms_Driven", "Age", "Petrol"]
FLOORS = {"Petrol": 0.1, "Diesel": 0.3}
# %% [train]
model = LinearRegression().fit(df[columns], df["Selling_Price"])
# %%
def age_of(year):
    return THIS_YEAR - year


def price_of(present, kms, year, fuel="Petrol"):
    row = pd.DataFrame([[present, kms, age_of(year), int(fuel == "Petrol")]], columns=columns)
    price = model.predict(row)[0]
    if price < 0:
        return FLOORS[fuel]
    return round(price, 2)
# %% [predict]
print(price_of(5.59, 27000, 2014))
print(price_of(9.54, 43000, 2013, "Diesel"))
for year in (2015, 2016, 2017):
    print(year, price_of(9.85, 6900, year, fuel="Petrol"))
# %% [predict]
# Other models of the table are no reason to forget the function.
model2 = LinearRegression().fit(df[["Age"]], df["Selling_Price"])
