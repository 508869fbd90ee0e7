# The target is made from a column by its median; the column itself is dropped.

# %%
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

houses = pd.read_csv("houses.csv")
# %% [feature]
houses["expensive"] = (houses["price"] > houses["price"].median()).astype(int)
houses = houses.drop("price", axis=1)
houses["rooms"] = houses["size"].str[0].fillna("2").astype(int)
houses["bath"] = houses["bath"].fillna(houses["bath"].mode()[0])
houses = houses[["area_type", "rooms", "bath", "expensive"]]
houses = pd.get_dummies(houses, columns=["area_type"], prefix="area")
# %% [train]
X_train, X_test, y_train, y_test = train_test_split(
    houses.drop("expensive", axis=1), houses["expensive"], test_size=0.2, random_state=15
)
tree = DecisionTreeClassifier(max_depth=5, random_state=15).fit(X_train, y_train)
# %% [predict]
y_pred = tree.predict(X_test)
