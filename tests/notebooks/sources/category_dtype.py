# Columns made categorical, and a model that takes them as they are.

# %%
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split

pumpkins = pd.read_csv("pumpkins.csv")
# %% [feature]
cats = ["City Name", "Package", "Variety", "Item Size"]
X = pumpkins[cats].copy()
for c in cats:
    X[c] = X[c].astype("category")
y = pumpkins["Low Price"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=44)
# %% [train]
model = HistGradientBoostingRegressor(categorical_features="from_dtype", max_iter=40, random_state=44)
model.fit(X_train, y_train)
# %% [predict]
low_price = model.predict(X_test)
