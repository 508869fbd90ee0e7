# A new column from a list comprehension and one from zip over two columns.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

df = pd.read_csv("passengers.csv")
# %% [feature]
df["Title"] = [name.split(",")[1].split(".")[0].strip() for name in df["Name"]]
df["Surname_length"] = [len(n.split(",")[0]) for n in df["Name"]]
df["Group"] = [c * 10 + (s == "female") for c, s in zip(df["Pclass"], df["Sex"])]
title_no = {t: i for i, t in enumerate(sorted(df["Title"].unique()))}
df["Title"] = df["Title"].map(title_no)
# %% [feature]
X = df[["Title", "Surname_length", "Group", "Fare"]]
y = df["Survived"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=64)
# %% [train]
clf = RandomForestClassifier(n_estimators=25, max_depth=5, random_state=64).fit(X_train, y_train)
# %% [predict]
y_pred = clf.predict(X_test)
