# Which columns are used depends on their correlation with the target: an analysis of training, kept as a list.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
# %%
wine = pd.read_csv("red_wine.csv")
wine.corr()
# %% [feature]
corr = wine.corr()["quality"].abs()
chosen = corr[(corr > 0.1) & (corr < 1)].index.tolist()
chosen
# %% [feature]
X = wine[chosen] ** 0.5
y = wine["quality"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=27)
# %% [train]
reg = LinearRegression()
reg.fit(X_train, y_train)
# %% [predict]
y_pred = reg.predict(X_test)
