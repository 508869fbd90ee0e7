# Red and white wine in two files, both split into train and test: rows of either are predicted.

# %%
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeRegressor

red = pd.read_csv("red_wine.csv")
white = pd.read_csv("white_wine.csv")
# %% [feature]
red["is_red"] = 1
white["is_red"] = 0
wine = pd.concat([red, white], ignore_index=True)
X = wine.drop(columns="quality")
y = wine["quality"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
# %% [train]
tree = DecisionTreeRegressor(max_depth=5, random_state=0).fit(X_train, y_train)
# %% [predict]
y_pred = tree.predict(X_test)
