# A guess for each sex and class, in nested loops over two tables kept in a list; not every cell has a gap to fill.

# %%
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

train_df = pd.read_csv("passengers_train.csv")
test_df = pd.read_csv("passengers_test.csv")
combine = [train_df, test_df]
# %% [feature]
for dataset in combine:
    dataset["Sex"] = dataset["Sex"].map({"female": 1, "male": 0}).astype(int)
train_df.head()
# %% [feature]
guess_ages = np.zeros((2, 3))
for dataset in combine:
    for i in range(0, 2):
        for j in range(0, 3):
            guess_df = dataset[(dataset["Sex"] == i) & (dataset["Pclass"] == j + 1)]["Age"].dropna()
            age_guess = guess_df.median()
            # Convert random age float to nearest .5 age
            guess_ages[i, j] = int(age_guess / 0.5 + 0.5) * 0.5

    for i in range(0, 2):
        for j in range(0, 3):
            dataset.loc[
                (dataset.Age.isnull()) & (dataset.Sex == i) & (dataset.Pclass == j + 1), "Age"
            ] = guess_ages[i, j]

    dataset["Age"] = dataset["Age"].astype(int)
# %% [feature]
X_train = train_df[["Sex", "Pclass", "Age"]]
Y_train = train_df["Survived"]
X_test = test_df[["Sex", "Pclass", "Age"]].copy()
# %% [train]
random_forest = RandomForestClassifier(n_estimators=20, random_state=0)
random_forest.fit(X_train, Y_train)
# %% [predict]
Y_pred = random_forest.predict(X_test)
