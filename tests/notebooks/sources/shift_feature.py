# A lag: the row before this one.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression

bikes = pd.read_csv("bikes.csv")
# %% [feature]
bikes["temp_before"] = bikes["temp"].shift(1)
bikes["temp_before"] = bikes["temp_before"].fillna(bikes["temp"])
X = bikes[["hr", "temp", "temp_before"]]
# %% [train]
lr = LinearRegression().fit(X[:600], bikes["cnt"][:600])
# %% [predict]
y_pred = lr.predict(X[600:])
