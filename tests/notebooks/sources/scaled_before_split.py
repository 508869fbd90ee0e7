# An anonymous scaler fitted on the whole table before the split.

# %%
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
# %%
df = pd.read_csv("white_wine.csv")
# %% [feature]
y = df["quality"]
X = df.drop("quality", axis=1)
X = StandardScaler().fit_transform(X)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=41)
# %% [train]
svr = SVR(C=2.0)
svr.fit(X_train, y_train)
# %% [predict]
y_pred = svr.predict(X_test)
