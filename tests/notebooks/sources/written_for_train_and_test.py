# The same features written twice, for the train file and for the test file.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression

train = pd.read_csv("passengers_train.csv")
test = pd.read_csv("passengers_test.csv")
train.head(4)
# %% [feature]
impute_value = train["Age"].median()
train["Age"] = train["Age"].fillna(impute_value)
test["Age"] = test["Age"].fillna(impute_value)
# %% [feature]
train["IsFemale"] = (train["Sex"] == "female").astype(int)
test["IsFemale"] = (test["Sex"] == "female").astype(int)
# %% [feature]
predictors = ["Pclass", "IsFemale", "Age"]
X_train = train[predictors].values
X_test = test[predictors].values
y_train = train["Survived"].values
X_train[:5]
# %% [train]
model = LogisticRegression()
model.fit(X_train, y_train)
# %% [predict]
y_predict = model.predict(X_test)
y_predict[:10]
