# A new column appended value by value in a loop over iterrows.

# %%
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

df = pd.read_csv("passengers.csv")
# %% [feature]
family = []
for i, row in df.iterrows():
    size = row["SibSp"] + row["Parch"]
    if size == 0:
        family.append("alone")
    elif size < 3:
        family.append("small")
    else:
        family.append("large")
df["Family"] = family
df["Family"] = df["Family"].map({"alone": 0, "small": 1, "large": 2})
df["Female"] = (df["Sex"] == "female").astype(int)
X = df[["Pclass", "Family", "Female"]]
# %% [train]
tree = DecisionTreeClassifier(max_depth=4, random_state=0).fit(X[:500], df["Survived"][:500])
# %% [predict]
y_pred = tree.predict(X[500:])
