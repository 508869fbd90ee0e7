# The cell that fits also predicts and scores.

# %%
import pandas as pd
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

titanic = pd.read_csv("passengers.csv")
titanic.head()
# %% [feature]
data = titanic[["Survived", "Pclass", "Sex", "Age", "Fare"]].copy()
data["Sex"] = data["Sex"].map({"male": 0, "female": 1})
data["Age"] = data["Age"].fillna(data["Age"].median())
data.describe()
# %% [train, predict]
X = data.drop(columns="Survived")
y = data["Survived"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=42)
clf = DecisionTreeClassifier(max_depth=4, random_state=42)
clf.fit(X_train, y_train)
y_pred = clf.predict(X_test)
print(confusion_matrix(y_test, y_pred))
print("accuracy", clf.score(X_test, y_test))
