# query with a local, sort_values, reset_index, loc assignment, np.select, at the end in another order than the table's.

# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
# %% [parameters]
max_wind = 0.7
# %%
bikes = pd.read_csv("bikes.csv")
# %% [feature]
bikes = bikes.query("windspeed <= @max_wind and hum > 0")
bikes = bikes.sort_values(["hr", "dteday"], ascending=[False, True]).reset_index(drop=True)
bikes["part"] = np.select(
    [bikes["hr"] < 6, bikes["hr"] < 12, bikes["hr"] < 18], ["night", "morning", "afternoon"], default="evening"
)
bikes["feels"] = bikes["temp"]
bikes.loc[bikes["hum"] > 0.8, "feels"] = bikes["atemp"] * 0.9
bikes.loc[(bikes["weathersit"] >= 3) & (bikes["temp"] < 0.5), "feels"] -= 0.1
bikes["part"] = bikes["part"].map({"night": 0, "morning": 1, "afternoon": 2, "evening": 1})
# %% [feature]
X = bikes.loc[:, ["hr", "workingday", "part", "feels"]]
y = bikes.loc[:, "cnt"]
rng = np.random.RandomState(0)
test_rows = rng.choice(bikes.index, size=150, replace=False)
X_test, y_test = X.loc[test_rows], y.loc[test_rows]
X_train, y_train = X.drop(test_rows), y.drop(test_rows)
# %% [train]
gbr = GradientBoostingRegressor(n_estimators=50, random_state=0)
gbr.fit(X_train, y_train)
# %% [predict]
count = gbr.predict(X_test).round().astype(int)
