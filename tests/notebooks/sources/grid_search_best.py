# GridSearchCV; the best estimator predicts.

# %%
import pandas as pd
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import MinMaxScaler
# %%
cars = pd.read_csv("cars.csv")
cars.sample(3)
# %% [feature]
cars["Age"] = 2020 - cars["Year"]
cars["Diesel"] = (cars["Fuel_Type"] == "Diesel") * 1
X = cars[["Age", "Present_Price", "Kms_Driven", "Diesel", "Owner"]]
y = cars["Selling_Price"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=8)
scaler = MinMaxScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)
# %% [train]
grid = GridSearchCV(KNeighborsRegressor(), {"n_neighbors": [3, 5, 9], "weights": ["uniform", "distance"]}, cv=3)
grid.fit(X_train, y_train)
print(grid.best_params_)
best = grid.best_estimator_
# %% [predict]
y_pred = best.predict(X_test)
# %%
grid.score(X_test, y_test)
