# The row number is a feature.

# %%
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

bikes = pd.read_csv("bikes.csv")
# %% [feature]
bikes["hours_since_start"] = bikes.index
X = bikes[["hours_since_start", "hr", "temp"]]
# %% [train]
tree = DecisionTreeRegressor(max_depth=6, random_state=0).fit(X[:600], bikes["cnt"][:600])
# %% [predict]
y_pred = tree.predict(X[600:])
