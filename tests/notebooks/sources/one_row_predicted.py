# Only one row is predicted, picked from the test frame.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("passengers.csv")
# %% [feature]
df["Sex"] = df["Sex"].map({"male": 0, "female": 1})
df["Age"] = df["Age"].fillna(28)
X = df[["Pclass", "Sex", "Age", "Fare"]]
y = df["Survived"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=2)
# %% [train]
model = LogisticRegression(max_iter=500).fit(X_train, y_train)
# %% [predict]
passenger = X_test.iloc[[3]]
prediction = model.predict(passenger)
print("survives" if prediction[0] == 1 else "does not survive")
