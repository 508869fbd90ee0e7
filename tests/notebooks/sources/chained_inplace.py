# fillna(..., inplace=True) on a column: no effect on pandas 3, with a warning. The notebook's answer is without the fill.

# %%
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
# %%
df = pd.read_csv("passengers.csv")
# %% [feature]
df["Age"].fillna(df["Age"].median(), inplace=True)
df["Sex"] = (df["Sex"] == "male").astype(int)
df["Age"].isna().sum()
# %% [feature]
X = df[["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare"]]
y = df["Survived"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=4)
# %% [train]
hgb = HistGradientBoostingClassifier(max_iter=40, random_state=4)
hgb.fit(X_train, y_train)
# %% [predict]
y_pred = hgb.predict(X_test)
