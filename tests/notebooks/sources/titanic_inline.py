# Feature code inline, anonymous reductions, get_dummies, display expressions at the ends of cells.

# %%
import pandas as pd
import seaborn as sns
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
# %%
df = pd.read_csv("passengers.csv")
df.head()
# %%
df.isnull().sum()
# %%
sns.countplot(x="Survived", hue="Sex", data=df)
# %% [feature]
df["Age"] = df["Age"].fillna(df["Age"].mean())
df["Embarked"] = df["Embarked"].fillna(df["Embarked"].mode()[0])
df.isnull().sum()
# %% [feature]
df["FamilySize"] = df["SibSp"] + df["Parch"] + 1
df["HasCabin"] = df["Cabin"].notnull().astype(int)
df = pd.get_dummies(df, columns=["Sex", "Embarked"])
df.head()
# %% [feature]
X = df.drop(["PassengerId", "Survived", "Name", "Ticket", "Cabin"], axis=1)
y = df["Survived"]
# %%
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=101)
# %% [train]
logmodel = LogisticRegression(max_iter=1000)
logmodel.fit(X_train, y_train)
# %% [predict]
predictions = logmodel.predict(X_test)
# %%
accuracy_score(y_test, predictions)
