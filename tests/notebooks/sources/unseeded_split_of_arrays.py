# Plain arrays, split without a seed: which rows were predicted is known only from the run.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("cars.csv")
# %% [feature]
df["Fuel_Type"] = df["Fuel_Type"].replace({"Petrol": "0", "Diesel": "1", "CNG": "2"}).astype(int)
df["Manual"] = df["Transmission"].eq("Manual").astype(int)
X = df[["Year", "Present_Price", "Kms_Driven", "Fuel_Type", "Manual"]].values
y = df["Selling_Price"].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)
# %% [train]
regressor = LinearRegression()
regressor.fit(X_train, y_train)
# %% [predict]
y_pred = regressor.predict(X_test)
