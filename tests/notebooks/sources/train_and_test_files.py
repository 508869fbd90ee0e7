# Two files, concatenated for the features and split again by position.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

train = pd.read_csv("passengers_train.csv")
test = pd.read_csv("passengers_test.csv")
# %% [feature]
y = train["Survived"]
data = pd.concat([train.drop(columns="Survived"), test])
data["Title"] = data["Name"].str.extract(r" ([A-Za-z]+)\.", expand=False)
data["Title"] = data["Title"].replace(["Dr", "Rev", "Col", "Countess"], "Rare")
data["Title"].value_counts()
# %% [feature]
data["Age"] = data["Age"].fillna(data.groupby("Title")["Age"].transform("median"))
data["Embarked"] = data["Embarked"].fillna(data["Embarked"].mode()[0])
data["Deck"] = data["Cabin"].str[0].fillna("U")
data = data.drop(["PassengerId", "Name", "Ticket", "Cabin"], axis=1)
data = pd.get_dummies(data, columns=["Sex", "Embarked", "Title", "Deck"])
data.head()
# %% [feature]
X = data[: len(train)]
X_test = data[len(train):]
X.shape, X_test.shape
# %% [train]
rf = RandomForestClassifier(n_estimators=60, max_depth=6, random_state=1)
rf.fit(X, y)
# %% [predict]
predictions = rf.predict(X_test)
# %%
output = pd.DataFrame({"PassengerId": test.PassengerId, "Survived": predictions})
output.head()
