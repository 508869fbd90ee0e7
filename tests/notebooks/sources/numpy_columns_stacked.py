# Everything in numpy: slices, masks, np.c_, hstack, np.where.

# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier

data = pd.read_csv("red_wine.csv")
# %% [feature]
A = data.values
quality = A[:, -1].astype(int)
A = A[:, :-1]
sugar = A[:, 1]
sweet = np.where(sugar > 2.0, 1.0, 0.0)
logs = np.log(A[:, [0, 3]])
X = np.c_[A, sweet]
X = np.hstack([X, logs, (A[:, 4] * A[:, 2]).reshape(-1, 1)])
y = (quality > 5).astype(int)
X.shape
# %% [feature]
mask = np.zeros(len(X), dtype=bool)
mask[::4] = True
X_train, X_test = X[~mask], X[mask]
y_train, y_test = y[~mask], y[mask]
# %% [train]
trees = ExtraTreesClassifier(n_estimators=30, max_depth=6, random_state=0)
trees.fit(X_train, y_train)
# %% [predict]
y_pred = trees.predict(X_test)
print((y_pred == y_test).mean())
