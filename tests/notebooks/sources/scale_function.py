# sklearn's scale() and minmax_scale() as functions: no object to keep.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import minmax_scale, scale

wine = pd.read_csv("white_wine.csv")
# %% [feature]
cols = ["alcohol", "pH", "sulphates"]
wine[cols] = scale(wine[cols])
wine["sugar"] = minmax_scale(wine["residual sugar"])
X = wine[cols + ["sugar"]]
y = wine["quality"]
# %% [train]
reg = LinearRegression().fit(X[:250], y[:250])
# %% [predict]
pred = reg.predict(X[250:])
pred.round()
