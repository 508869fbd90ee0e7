# The name is bound to several models, and the one that predicted is refitted afterwards.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
# %%
df = pd.read_csv("loans.csv")
# %% [feature]
for c in ["Income", "Assets", "Debt"]:
    df[c] = df[c].replace(99999999, np.nan)
    df[c] = df[c].fillna(0)
df["default"] = (df["Status"] == 2).astype(int)
cols = ["Seniority", "Time", "Age", "Records", "Expenses", "Income", "Assets", "Debt", "Amount", "Price"]
X, y = df[cols], df["default"]
# %%
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=1)
# %% [train]
model = LogisticRegression(max_iter=5000)
model.fit(X_train, y_train)
print("logistic", roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]))

model = DecisionTreeClassifier(max_depth=4, random_state=1)
model.fit(X_train, y_train)
# %% [predict]
y_pred = model.predict(X_test)
y_pred[:5]
# %%
# how does it do with everything?
model.fit(X, y)
model.score(X, y)
# %%
model = DecisionTreeClassifier(max_depth=1).fit(X, y)
model
