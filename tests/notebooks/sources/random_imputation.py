# Missing ages drawn at random around the mean.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

df = pd.read_csv("passengers.csv")
# %% [feature]
mean = df["Age"].mean()
std = df["Age"].std()
is_null = df["Age"].isnull().sum()
rand_age = np.random.randint(mean - std, mean + std, size=is_null)
age_slice = df["Age"].copy()
age_slice[np.isnan(age_slice)] = rand_age
df["Age"] = age_slice.astype(int)
df["Sex"] = df["Sex"].map({"male": 0, "female": 1})
X = df[["Pclass", "Sex", "Age"]]
# %% [train]
lr = LogisticRegression().fit(X[:500], df["Survived"][:500])
# %% [predict]
y_pred = lr.predict(X[500:])
