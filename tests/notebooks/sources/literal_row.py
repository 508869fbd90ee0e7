# The only thing predicted is a row typed in by hand.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression

df = pd.read_csv("passengers.csv")
# %% [feature]
df["Sex"] = (df["Sex"] == "female").astype(int)
X = df[["Pclass", "Sex", "SibSp"]].values
# %% [train]
clf = LogisticRegression().fit(X, df["Survived"].values)
# %% [predict]
clf.predict([[3, 1, 0]])
