# One function, called for train and for test; it fills with the median of whichever frame it is given.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
# %%
train = pd.read_csv("passengers_train.csv")
test = pd.read_csv("passengers_test.csv")
# %% [feature]
def preprocess(df):
    df = df.copy()
    df["Age"] = df["Age"].fillna(df["Age"].median())
    df["Fare"] = np.log1p(df["Fare"])
    df["Sex"] = df["Sex"].replace({"male": "0", "female": "1"}).astype(int)
    df["Alone"] = ((df["SibSp"] + df["Parch"]) == 0).astype(int)
    return df[["Pclass", "Sex", "Age", "Fare", "Alone"]]
# %% [feature]
X_train = preprocess(train)
X_test = preprocess(test)
# %% [train]
model = LogisticRegression(max_iter=500)
model.fit(X_train, train["Survived"])
# %% [predict]
survived = model.predict(X_test)
pd.Series(survived).value_counts()
