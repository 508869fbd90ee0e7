# Missing values filled with the mean of their group; group statistics as features.

# %%
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split

df = pd.read_csv("passengers.csv")
# %%
df.groupby(["Pclass", "Sex"])["Age"].mean()
# %% [feature]
df["Age"] = df["Age"].fillna(df.groupby(["Pclass", "Sex"])["Age"].transform("mean"))
df["MeanFare"] = df.groupby("Pclass")["Fare"].transform("mean")
df["FareRatio"] = df["Fare"] / df["MeanFare"]
df["is_female"] = df.Sex.eq("female")
df[["Age", "MeanFare", "FareRatio"]].describe()
# %% [feature]
feats = ["Pclass", "is_female", "Age", "FareRatio", "MeanFare"]
train, valid = train_test_split(df, test_size=0.25, random_state=7)
# %% [train]
gb = GradientBoostingClassifier(n_estimators=40, random_state=7)
gb.fit(train[feats], train["Survived"])
# %% [predict]
pred = gb.predict(valid[feats])
