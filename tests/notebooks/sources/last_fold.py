# A loop over folds: what is left is the last fold's model and prediction.

# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler
# %%
df = pd.read_csv("loans.csv")
# %% [feature]
df["default"] = (df["Status"] == 2).astype(int)
df["debt_share"] = df["Amount"] / df["Price"]
X = df[["Seniority", "Time", "Age", "Records", "Expenses", "debt_share"]]
y = df["default"]
# %% [feature, train, predict]
kf = KFold(n_splits=4, shuffle=True, random_state=5)
scores = []
for train_idx, val_idx in kf.split(X):
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X.iloc[train_idx])
    X_val = scaler.transform(X.iloc[val_idx])
    model = GradientBoostingClassifier(n_estimators=30, random_state=5)
    model.fit(X_train, y.iloc[train_idx])
    y_pred = model.predict_proba(X_val)[:, 1]
    scores.append(roc_auc_score(y.iloc[val_idx], y_pred))
print(np.mean(scores))
