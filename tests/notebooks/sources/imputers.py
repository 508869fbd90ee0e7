# KNNImputer (which keeps training rows) and SimpleImputer with an indicator; the frame is made again from the array.

# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.model_selection import train_test_split
# %%
df = pd.read_csv("loans.csv").replace(99999999, np.nan)
# %% [feature]
money = ["Income", "Assets", "Debt"]
other = ["Seniority", "Expenses", "Records"]
X = df[money + other]
y = (df["Status"] == 2).astype(int)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=31)
# %% [feature]
knn = KNNImputer(n_neighbors=3)
X_train = pd.DataFrame(knn.fit_transform(X_train), columns=X.columns, index=X_train.index)
X_test = pd.DataFrame(knn.transform(X_test), columns=X.columns, index=X_test.index)
X_train["free"] = X_train["Income"] - X_train["Expenses"]
X_test["free"] = X_test["Income"] - X_test["Expenses"]
# %% [train]
rf = RandomForestClassifier(n_estimators=30, max_depth=6, random_state=31).fit(X_train, y_train)
# %% [predict]
bad = rf.predict(X_test)
