# A ratio with the target in it was left among the features.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("houses.csv")
# %% [feature]
df["total_sqft"] = pd.to_numeric(df["total_sqft"], errors="coerce")
df = df.dropna(subset=["total_sqft", "bath"])
df["price_per_sqft"] = df["price"] * 1000 / df["total_sqft"]
X = df[["total_sqft", "bath", "price_per_sqft"]]
y = df["price"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
# %% [train]
lr = LinearRegression().fit(X_train, y_train)
# %% [predict]
y_pred = lr.predict(X_test)
