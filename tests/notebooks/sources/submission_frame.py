# The predict cell makes a submission: the prediction beside the row's own id, and writes it to a file.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

train_data = pd.read_csv("passengers_train.csv")
test_data = pd.read_csv("passengers_test.csv")
# %%
women = train_data.loc[train_data.Sex == "female"]["Survived"]
print("% of women who survived:", sum(women) / len(women))
# %% [feature]
y = train_data["Survived"]
features = ["Pclass", "Sex", "SibSp", "Parch"]
X = pd.get_dummies(train_data[features])
X_test = pd.get_dummies(test_data[features])
# %% [train]
model = RandomForestClassifier(n_estimators=100, max_depth=5, random_state=1)
model.fit(X, y)
# %% [predict]
predictions = model.predict(X_test)

output = pd.DataFrame({"PassengerId": test_data.PassengerId, "Survived": predictions})
output.to_csv("submission.csv", index=False)
print("Your submission was successfully saved!")
