# One row of the table becomes several, one a genre, and each is predicted.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

movies = pd.read_csv("movies.csv")
# %% [feature]
movies["genre"] = movies["genres"].str.split("|")
movies = movies.explode("genre")
movies["runtime"] = movies["runtime"].fillna(100)
X = pd.get_dummies(movies[["genre", "runtime", "budget"]])
y = movies["rating"]
# %% [train]
rf = RandomForestRegressor(n_estimators=20, random_state=0).fit(X[:350], y[:350])
# %% [predict]
y_pred = rf.predict(X[350:])
