# For each row a file is read, named after the row's id.

# %%
import os

import pandas as pd
from sklearn.linear_model import LinearRegression

movies = pd.read_csv("movies.csv")
# %%
# the plots, one file a movie
os.makedirs("plots", exist_ok=True)
for movie_id, title, genres in zip(movies.movie_id, movies.title, movies.genres):
    with open(f"plots/{movie_id}.txt", "w") as f:
        f.write(f"{title}. {genres}. " * (movie_id % 7 + 1))
# %% [feature]
def plot_length(movie_id):
    with open(f"plots/{movie_id}.txt") as f:
        return len(f.read().split())


movies["plot_words"] = movies["movie_id"].apply(plot_length)
X = movies[["plot_words", "budget"]]
# %% [train]
lr = LinearRegression().fit(X[:200], movies["rating"][:200])
# %% [predict]
y_pred = lr.predict(X[200:])
