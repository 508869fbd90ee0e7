# The next row's value as a feature: the future.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression

bikes = pd.read_csv("bikes.csv")
# %% [feature]
bikes["weather_next"] = bikes["weathersit"].shift(-1, fill_value=1)
X = bikes[["temp", "weather_next"]]
# %% [train]
lr = LinearRegression().fit(X[:600], bikes["cnt"][:600])
# %% [predict]
y_pred = lr.predict(X[600:])
