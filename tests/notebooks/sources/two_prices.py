# Two targets at once: the answer is a vector.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import train_test_split

pumpkins = pd.read_csv("pumpkins.csv")
# %% [feature]
pumpkins["month"] = pumpkins["Date"].str.split("/").str[0].astype(int)
X = pd.get_dummies(pumpkins[["City Name", "Package", "Variety", "month"]], dtype=float)
Y = pumpkins[["Low Price", "High Price"]]
X_train, X_test, Y_train, Y_test = train_test_split(X, Y, test_size=0.25, random_state=3)
# %% [train]
forest = RandomForestRegressor(n_estimators=25, max_depth=6, random_state=3)
forest.fit(X_train, Y_train)
# %% [predict]
prices = forest.predict(X_test)
prices[:2]
