# Missing ages are guessed by a forest fitted to the rows that have one; scaled over a list of two tables.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

train = pd.read_csv("passengers_train.csv")
test = pd.read_csv("passengers_test.csv")


# %% [feature]
def set_missing_ages(df):
    age_df = df[["Age", "Fare", "Parch", "SibSp", "Pclass"]]
    known_age = age_df[age_df.Age.notnull()].values
    unknown_age = age_df[age_df.Age.isnull()].values
    y = known_age[:, 0]
    X = known_age[:, 1:]
    rfr = RandomForestRegressor(random_state=0, n_estimators=20)
    rfr.fit(X, y)
    predicted_ages = rfr.predict(unknown_age[:, 1::])
    df.loc[(df.Age.isnull()), "Age"] = predicted_ages
    return df, rfr


train["Fare"] = train["Fare"].fillna(0)
test["Fare"] = test["Fare"].fillna(0)
train, rfr = set_missing_ages(train)
tmp_df = test[["Age", "Fare", "Parch", "SibSp", "Pclass"]]
null_age = tmp_df[test.Age.isnull()].values
X = null_age[:, 1:]
predictedAges = rfr.predict(X=X)
test.loc[(test.Age.isnull()), "Age"] = predictedAges
# %% [feature]
scaler = StandardScaler().fit(train[["Age", "Fare"]])
for d in [train, test]:
    d[["age_scaled", "fare_scaled"]] = scaler.transform(d[["Age", "Fare"]])
    d["family"] = d[["SibSp", "Parch"]].sum(axis=1)
# %% [train]
cols = ["Pclass", "age_scaled", "fare_scaled", "family"]
clf = LogisticRegression(C=1.0, tol=1e-6)
clf.fit(train[cols], train["Survived"])
# %% [predict]
predictions = clf.predict(test[cols])
