# Cleaning code lives in a module in the notebook's folder.

# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

from house_cleaning import bedrooms, square_feet

homes = pd.read_csv("houses.csv")
# %% [feature]
homes["sqft"] = homes["total_sqft"].map(square_feet)
homes["rooms"] = homes["size"].map(bedrooms)
homes[["sqft", "rooms"]] = homes[["sqft", "rooms"]].fillna(homes[["sqft", "rooms"]].median())
homes["sqft_per_room"] = homes["sqft"] / homes["rooms"]
X = homes[["sqft", "rooms", "sqft_per_room"]]
y = homes["price"]
# %% [train]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=18)
lr = LinearRegression().fit(X_train, y_train)
# %% [predict]
price = lr.predict(X_test)
price.mean()
