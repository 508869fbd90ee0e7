# The table is read with its id as the index, joined and predicted by it.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression

df = pd.read_csv("passengers.csv", index_col="PassengerId")
# %% [feature]
numbers = df[["Pclass", "Fare", "SibSp"]]
female = pd.get_dummies(df["Sex"])["female"]
X = numbers.join(female)
X["Fare"] = X["Fare"].clip(upper=X["Fare"].quantile(0.95))
train_ids = df.sample(frac=0.7, random_state=3).index
test_ids = df.index.difference(train_ids)
# %% [train]
lr = LogisticRegression(max_iter=500)
lr.fit(X.loc[train_ids], df.loc[train_ids, "Survived"])
# %% [predict]
answer = pd.Series(lr.predict(X.loc[test_ids]), index=test_ids)
answer.head()
