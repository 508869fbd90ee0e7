# A short list of class names as a Series, written into a column first and chosen from by masks afterwards.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

df = pd.read_csv("passengers.csv")
df = df[df.Fare.notnull()]
# %% [feature]
NewFare = pd.Series(["Low", "Middle", "High"], dtype="category")
df["NewFare"] = NewFare
df.loc[df["Fare"] < 10, "NewFare"] = NewFare[0]
df.loc[(df["Fare"] >= 10) & (df["Fare"] <= 30), "NewFare"] = NewFare[1]
df.loc[df["Fare"] > 30, "NewFare"] = NewFare[2]
df = pd.get_dummies(df, columns=["NewFare"], drop_first=True)
# %% [train]
X = df[["Pclass", "NewFare_Low", "NewFare_Middle"]]
X_train, X_test, y_train, y_test = train_test_split(X, df["Survived"], random_state=1)
model = RandomForestClassifier(n_estimators=20, random_state=1).fit(X_train, y_train)
# %% [predict]
y_pred = model.predict(X_test)
