# A rolling mean over the last day, and a difference.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

bikes = pd.read_csv("bikes.csv")
# %% [feature]
bikes["hum_day"] = bikes["hum"].rolling(24, min_periods=1).mean()
bikes["temp_change"] = bikes["temp"].diff().fillna(0)
features = ["hr", "workingday", "hum_day", "temp_change"]
# %% [train]
rf = RandomForestRegressor(n_estimators=20, random_state=0)
rf.fit(bikes[features][:600], bikes["cnt"][:600])
# %% [predict]
y_pred = rf.predict(bikes[features][600:])
