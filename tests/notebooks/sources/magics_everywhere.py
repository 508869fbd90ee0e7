# Line and cell magics, shell lines, captured output that is parsed later, top-level semicolons.

# %%
%matplotlib inline
%config InlineBackend.figure_format = "retina"
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.ensemble import RandomForestRegressor
# %%
!echo "bikes, one row an hour"
files = !ls *.csv
print(files)
bikes = pd.read_csv("bikes.csv", parse_dates=["dteday"])
bikes.head();
# %%
%%capture out
print("rows", len(bikes))
print("mean", bikes["cnt"].mean())
# %% [feature]
%%time
mean_count = float(out.stdout.split()[-1])
bikes["day"] = bikes["dteday"].dt.day_of_week
bikes["rush"] = bikes["hr"].isin([7, 8, 17, 18]) & (bikes["workingday"] == 1)
bikes["busy"] = (bikes["temp"] * mean_count > 100).astype(int)
# %%
plt.plot(bikes["cnt"][:100]);
# %% [feature]
features = ["hr", "day", "rush", "busy", "temp", "hum", "weathersit"]
train, test = bikes[:500], bikes[500:]
# %% [train]
%%time
rf = RandomForestRegressor(n_estimators=40, max_depth=8, random_state=0)
rf.fit(train[features], train["cnt"]);
# %% [predict]
%time pred = rf.predict(test[features])
pred[:3]
