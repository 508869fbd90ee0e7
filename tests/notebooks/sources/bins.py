# Bin edges found from the data (qcut, cut with a number) beside bins typed in.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

df = pd.read_csv("passengers.csv")
# %% [feature]
df["Age"] = df["Age"].fillna(df["Age"].median())
df["AgeBand"] = pd.cut(df["Age"], 5, labels=False)
df["FareBand"] = pd.qcut(df["Fare"], 4, labels=[1, 2, 3, 4]).astype(int)
df["Child"] = pd.cut(df["Age"], bins=[0, 12, 18, 120], labels=["child", "teen", "adult"])
df = pd.get_dummies(df, columns=["Child"])
df[["AgeBand", "Survived"]].groupby("AgeBand").mean()
# %% [feature]
X = df[["Pclass", "AgeBand", "FareBand", "Child_child", "Child_teen"]]
y = df["Survived"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=55)
# %% [train]
rf = RandomForestClassifier(n_estimators=30, random_state=55).fit(X_train, y_train)
# %% [predict]
y_pred = rf.predict(X_test)
