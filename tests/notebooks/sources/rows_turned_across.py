# Rows that run across: tables are transposed for a model written by hand, and back for scikit-learn's.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("passengers.csv")
# %% [feature]
x_data = df[["Pclass", "SibSp", "Fare"]].fillna(0)
y = df.Survived.values
x = (x_data - np.min(x_data, axis=0)) / (np.max(x_data, axis=0) - np.min(x_data, axis=0))
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
# transpose matrices
x_train = x_train.T
y_train = y_train.T
x_test = x_test.T
y_test = y_test.T
# %% [train]
lr = LogisticRegression()
lr.fit(x_train.T, y_train.T)
# %% [predict]
answers = lr.predict(x_test.T)
