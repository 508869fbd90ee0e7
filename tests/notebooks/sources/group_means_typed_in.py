# A helper with the group means typed in, used by apply(axis=1); filters and drops in place.

# %%
import numpy as np
import pandas as pd
import seaborn as sns
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
%matplotlib inline
# %%
train = pd.read_csv("passengers.csv")
train.head()
# %%
sns.boxplot(x="Pclass", y="Age", data=train)
# %% [feature]
def impute_age(cols):
    Age = cols["Age"]
    Pclass = cols["Pclass"]

    if pd.isnull(Age):
        if Pclass == 1:
            return 33
        elif Pclass == 2:
            return 28
        else:
            return 24
    else:
        return Age


train["Age"] = train[["Age", "Pclass"]].apply(impute_age, axis=1)
# %% [feature]
train.drop(["Cabin", "Name", "Ticket", "PassengerId"], axis=1, inplace=True)
train.head()
# %% [feature]
train.dropna(inplace=True)
train.info()
# %% [feature]
sex = pd.get_dummies(train["Sex"], drop_first=True)
embark = pd.get_dummies(train["Embarked"], drop_first=True)
train.drop(["Sex", "Embarked"], axis=1, inplace=True)
train = pd.concat([train, sex, embark], axis=1)
train.head()
# %% [train]
X_train, X_test, y_train, y_test = train_test_split(
    train.drop("Survived", axis=1), train["Survived"], test_size=0.30, random_state=101
)
logmodel = LogisticRegression(max_iter=1000)
logmodel.fit(X_train, y_train)
# %% [predict]
predictions = logmodel.predict(X_test)
