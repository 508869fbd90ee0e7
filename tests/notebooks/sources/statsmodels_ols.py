# statsmodels: a constant added to the frame, the results object predicts.

# %%
import pandas as pd
import statsmodels.api as sm
from sklearn.model_selection import train_test_split
# %%
bikes = pd.read_csv("bikes.csv")
# %% [feature]
bikes["rush"] = bikes["hr"].between(7, 9) | bikes["hr"].between(16, 19)
bikes["rush"] = bikes["rush"].astype(int)
X = bikes[["temp", "hum", "windspeed", "workingday", "rush"]]
y = bikes["cnt"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=33)
X_train = sm.add_constant(X_train)
X_test = sm.add_constant(X_test)
# %% [train]
results = sm.OLS(y_train, X_train).fit()
print(results.summary().tables[1])
# %% [predict]
predicted = results.predict(X_test)
predicted.head()
