# xgboost's own training loop on its own data sets, the label in both; a statistic of each row among the features.

# %%
import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.model_selection import train_test_split

df = pd.read_csv("loans.csv")
# %% [feature]
df["owned"] = df[["Assets", "Income"]].sum(axis=1)
df["gaps"] = df.isnull().sum(axis=1)
for c in ["Home", "Job"]:
    df[c] = df[c].astype("category").cat.codes
X = df[["Seniority", "Age", "Home", "Job", "owned", "gaps", "Amount"]]
y = np.log1p(df["Price"])
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=42)
dtrain = xgb.DMatrix(X_train, label=y_train)
dval = xgb.DMatrix(X_val, label=y_val)
# %% [train]
params = {"eta": 0.1, "max_depth": 3, "objective": "reg:squarederror", "seed": 0, "nthread": 1}
bst = xgb.train(params, dtrain, num_boost_round=30, evals=[(dval, "eval")], verbose_eval=False)
# %% [predict]
preds = np.expm1(bst.predict(dval))
