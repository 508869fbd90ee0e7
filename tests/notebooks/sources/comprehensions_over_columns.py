# Features made in comprehensions over the columns: fills, codes and dummies, each with what training had of its column.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder

df = pd.read_csv("passengers.csv")
# %% [feature]
numbers = ["Age", "Fare"]
filled = pd.concat([df[c].fillna(df[c].median()) for c in numbers], axis=1)
codes = np.column_stack([LabelEncoder().fit_transform(df[c]) for c in ["Sex", "Pclass"]])
encoders = {c: LabelEncoder().fit(df[c]) for c in ["Sex"]}
dummies = [pd.get_dummies(df[c], prefix=c) for c in ("Embarked", "Sex")]
X = pd.concat([filled] + dummies, axis=1)
X["sex"] = encoders["Sex"].transform(df["Sex"])
X["sex_code"], X["class_code"] = codes[:, 0], codes[:, 1]
X.head()
# %% [train]
X_train, X_test, y_train, y_test = train_test_split(X, df["Survived"], random_state=1)
model = LogisticRegression(max_iter=2000)
model.fit(X_train, y_train)
# %% [predict]
y_pred = model.predict(X_test)
