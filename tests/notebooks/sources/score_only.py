# The predict cell has no prediction in it, only a score.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("passengers.csv")
# %% [feature]
df["Sex"] = (df["Sex"] == "female").astype(int)
X = df[["Pclass", "Sex", "SibSp"]]
X_train, X_test, y_train, y_test = train_test_split(X, df["Survived"], random_state=1)
# %% [train]
clf = LogisticRegression().fit(X_train, y_train)
# %% [predict]
clf.score(X_test, y_test)
