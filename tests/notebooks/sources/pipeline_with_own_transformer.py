# A transformer class and a plain function of the notebook inside a Pipeline.

# %%
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

df = pd.read_csv("passengers.csv")
df.head()
# %% [feature]
class FamilyAdder(BaseEstimator, TransformerMixin):
    def __init__(self, big=4):
        self.big = big

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X = X.copy()
        X["family"] = X["SibSp"] + X["Parch"] + 1
        X["big"] = (X["family"] >= self.big).astype(int)
        return X


def log_fare(X):
    return np.log1p(X)


numeric = ["Age", "family", "big"]
preprocess = ColumnTransformer(
    [
        ("num", SimpleImputer(strategy="median"), numeric),
        ("fare", FunctionTransformer(log_fare), ["Fare"]),
        ("cat", OneHotEncoder(handle_unknown="ignore"), ["Sex", "Embarked", "Pclass"]),
    ]
)
pipe = Pipeline(
    [("family", FamilyAdder()), ("prep", preprocess), ("rf", RandomForestClassifier(n_estimators=30, max_depth=6, random_state=0))]
)
# %% [train]
X = df[["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]]
y = df["Survived"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
pipe.fit(X_train, y_train)
# %% [predict]
y_pred = pipe.predict(X_test)
