# The answer is the matrix of probabilities.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
# %%
wine = pd.read_csv("red_wine.csv")
wine.columns = [c.replace(" ", "_") for c in wine.columns]
# %% [feature]
wine["quality"] = pd.cut(wine["quality"], bins=[0, 4, 5, 6, 10], labels=["poor", "fair", "good", "fine"])
wine["strength"] = wine["alcohol"] / wine["pH"]
X = wine.drop("quality", axis=1)
X_train, X_test, y_train, y_test = train_test_split(X, wine["quality"], test_size=0.3, random_state=14)
# %% [train]
model = RandomForestClassifier(n_estimators=40, max_depth=5, random_state=14)
model.fit(X_train, y_train)
# %% [predict]
proba = model.predict_proba(X_test)
