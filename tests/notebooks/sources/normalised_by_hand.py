# (x - mean) / std by a lambda over columns, min and max of the whole frame, fillna by a Series of means.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
# %%
df = pd.read_csv("loans.csv")
df.head()
# %% [feature]
df = df.replace(99999999, np.nan)
X = df.drop(columns=["Status", "Home", "Marital", "Job"])
X = X.fillna(X.mean())
X[["Income", "Assets", "Debt"]] = X[["Income", "Assets", "Debt"]].apply(lambda col: (col - col.mean()) / col.std())
X = (X - X.min()) / (X.max() - X.min())
y = (df["Status"] == 2).astype(int)
X.describe()
# %% [feature]
n_train = int(0.8 * len(X))
X_train, X_test = X.iloc[:n_train], X.iloc[n_train:]
y_train, y_test = y.iloc[:n_train], y.iloc[n_train:]
# %% [train]
clf = LogisticRegression(C=10)
clf.fit(X_train, y_train)
# %% [predict]
y_pred = clf.predict(X_test)
np.mean(y_pred == y_test)
