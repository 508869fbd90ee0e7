# Words to numbers three ways: factorize, category codes, position among the unique values.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import train_test_split

pumpkins = pd.read_csv("pumpkins.csv")
# %% [feature]
pumpkins["Package"] = pd.factorize(pumpkins["Package"])[0]
pumpkins["City"] = pumpkins["City Name"].astype("category").cat.codes
varieties = list(pumpkins["Variety"].unique())
pumpkins["Variety"] = pumpkins["Variety"].apply(lambda v: varieties.index(v))
pumpkins["Origin"], origins = pumpkins["Origin"].factorize(sort=True)
pumpkins[["Package", "City", "Variety", "Origin"]].head()
# %% [train]
X = pumpkins[["Package", "City", "Variety", "Origin"]]
y = pumpkins["High Price"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=16)
forest = RandomForestRegressor(n_estimators=30, random_state=16).fit(X_train, y_train)
# %% [predict]
high = forest.predict(X_test)
