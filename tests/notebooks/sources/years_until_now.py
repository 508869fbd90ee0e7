# The age of a car reckoned from today.

# %%
import datetime

import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.read_csv("cars.csv")
# %% [feature]
df["Current_Year"] = datetime.datetime.now().year
df["Age"] = df["Current_Year"] - df["Year"]
X = df[["Age", "Present_Price", "Kms_Driven"]]
# %% [train]
lr = LinearRegression().fit(X[:240], df["Selling_Price"][:240])
# %% [predict]
y_pred = lr.predict(X[240:])
