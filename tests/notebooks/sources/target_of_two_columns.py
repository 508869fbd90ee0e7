# The target is made of two columns, and rows without it are dropped: neither column is part of a request.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("cars.csv")
df.loc[::17, "Present_Price"] = None
# %% [feature]
loss = df["Present_Price"] - df["Selling_Price"]
new = pd.DataFrame({"Year": df["Year"], "Kms": df["Kms_Driven"] / 1000, "Fuel": df["Fuel_Type"], "Loss": loss})
new = new.dropna()
X = pd.get_dummies(new[["Year", "Kms", "Fuel"]])
y = new["Loss"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=3)
# %% [train]
model = LinearRegression()
model.fit(X_train, y_train)
# %% [predict]
pred = model.predict(X_test)
