# A model for each fold; the predictions for the test table are added up over the folds.

# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import KFold

train = pd.read_csv("passengers_train.csv")
test = pd.read_csv("passengers_test.csv")
# %% [feature]
for df in [train, test]:
    df["Family"] = df[["SibSp", "Parch"]].sum(axis=1)
    df["Male"] = (df["Sex"] == "male").astype(int)
    df["Age"] = df["Age"].fillna(30)
features = ["Pclass", "Male", "Age", "Family"]
target = np.log1p(train["Fare"].fillna(0))
# %% [train, predict]
folds = KFold(n_splits=3, shuffle=True, random_state=15)
oof = np.zeros(len(train))
predictions = np.zeros(len(test))
for fold_, (trn_idx, val_idx) in enumerate(folds.split(train.values, target.values)):
    clf = GradientBoostingRegressor(n_estimators=20, random_state=fold_)
    clf.fit(train.iloc[trn_idx][features], target.iloc[trn_idx])
    oof[val_idx] = clf.predict(train.iloc[val_idx][features])
    predictions += clf.predict(test[features]) / folds.n_splits
print("CV score: {:<8.5f}".format(np.mean((oof - target) ** 2) ** 0.5))
# %%
sub_df = pd.DataFrame({"PassengerId": test["PassengerId"].values})
sub_df["Fare"] = np.expm1(predictions)
