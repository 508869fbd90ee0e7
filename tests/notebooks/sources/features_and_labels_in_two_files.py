# Features in one file, labels in another.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

X = pd.read_csv("loans_x.csv")
y = pd.read_csv("loans_y.csv")["Status"]
# %% [feature]
X["Income"] = X["Income"].replace(99999999, 0)
X["left"] = X["Income"] - X["Expenses"]
X = X[["Seniority", "Records", "left"]]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=2)
# %% [train]
rf = RandomForestClassifier(n_estimators=30, max_depth=5, random_state=2).fit(X_train, y_train)
# %% [predict]
y_pred = rf.predict(X_test)
