# The split by a StratifiedShuffleSplit loop on a binned column that is removed again.

# %%
import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import StratifiedShuffleSplit
# %%
housing = pd.read_csv("houses.csv")
housing["rooms"] = housing["size"].str.split(" ").str[0].astype(float)
# %%
housing["bath_cat"] = pd.cut(housing["bath"].fillna(2), bins=[0.0, 1.0, 2.0, 3.0, np.inf], labels=[1, 2, 3, 4])
split = StratifiedShuffleSplit(n_splits=1, test_size=0.2, random_state=42)
for train_index, test_index in split.split(housing, housing["bath_cat"]):
    strat_train_set = housing.loc[train_index]
    strat_test_set = housing.loc[test_index]
for set_ in (strat_train_set, strat_test_set):
    set_.drop("bath_cat", axis=1, inplace=True)
# %% [feature]
housing_num = strat_train_set[["rooms", "bath", "balcony"]]
housing_labels = strat_train_set["price"].copy()
imputer = SimpleImputer(strategy="median")
housing_prepared = imputer.fit_transform(housing_num)
# %% [train]
lin_reg = LinearRegression()
lin_reg.fit(housing_prepared, housing_labels)
# %% [feature, predict]
X_test = strat_test_set[["rooms", "bath", "balcony"]]
y_test = strat_test_set["price"].copy()
X_test_prepared = imputer.transform(X_test)
final_predictions = lin_reg.predict(X_test_prepared)
