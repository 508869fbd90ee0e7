# The target is its logarithm; the prediction is turned back by expm1.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import Lasso
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

df = pd.read_csv("houses.csv")
# %% [feature]
df["bedrooms"] = df["size"].str.extract(r"(\d+)")[0].astype(float)
df["bedrooms"] = df["bedrooms"].fillna(df["bedrooms"].median())
df["bath"] = df["bath"].fillna(df["bedrooms"])
df["balcony"] = df["balcony"].fillna(0)
df["ready"] = np.where(df["availability"] == "Ready To Move", 1, 0)
df["plot"] = np.where(df["area_type"].str.startswith("Plot"), 1, 0)
# %% [feature]
df["price"] = np.log1p(df["price"])
X = df[["bedrooms", "bath", "balcony", "ready", "plot"]]
X_train, X_test, y_train, y_test = train_test_split(X, df["price"], test_size=0.2, random_state=12)
# %% [train]
model = make_pipeline(StandardScaler(), Lasso(alpha=0.005, random_state=1))
model.fit(X_train, y_train)
# %% [predict]
price_pred = np.expm1(model.predict(X_test))
price_pred.round(1)
