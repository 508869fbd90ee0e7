# A prediction written beside the table that was predicted on, mended there, and put into bands.

# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import train_test_split

df = pd.read_csv("loans.csv")
# %% [feature]
df["Share"] = df["Amount"] / df["Price"]
cols = ["Seniority", "Time", "Age", "Expenses", "Share"]
train, test = train_test_split(df, test_size=0.3, random_state=4)
# %% [train]
model = GradientBoostingRegressor(n_estimators=20, random_state=0)
model.fit(train[cols], np.log1p(train["Income"]))
# %% [predict]
test = test.copy()
test["income"] = model.predict(test[cols])
test["income"] = np.expm1(test["income"]).round(1)
test["band"] = pd.cut(test["income"], [0, 100, 150, 10_000], labels=["low", "middle", "high"])
test[["Income", "income", "band"]].head()
