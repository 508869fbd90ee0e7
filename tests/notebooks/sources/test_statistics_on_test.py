# The test frame is filled with its own mean: what the prediction used is kept, with a warning.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("passengers.csv")
# %% [feature]
df["male"] = (df["Sex"] == "male").astype(int)
X = df[["Pclass", "Age", "Fare", "male"]]
y = df["Survived"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
X_train = X_train.fillna(X_train.mean())
X_test = X_test.fillna(X_test.mean())
# %% [train]
lr = LogisticRegression(max_iter=1000)
lr.fit(X_train, y_train)
# %% [predict]
y_pred = lr.predict(X_test)
