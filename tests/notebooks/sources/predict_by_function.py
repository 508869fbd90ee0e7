# The prediction is made by a hand-written function of scalars that looks the dummy column up by name.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
# %%
df = pd.read_csv("houses.csv").dropna(subset=["location", "size", "bath"])
# %% [feature]
df["bhk"] = df["size"].str.split(" ").str[0].astype(int)
df["total_sqft"] = pd.to_numeric(df["total_sqft"], errors="coerce")
df = df.dropna(subset=["total_sqft"])
counts = df["location"].value_counts()
df["location"] = df["location"].where(df["location"].map(counts) > 10, "other")
X = pd.concat([df[["total_sqft", "bath", "bhk"]], pd.get_dummies(df["location"])], axis=1)
y = df["price"]
# %% [train]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=10)
lr_clf = LinearRegression()
lr_clf.fit(X_train, y_train)
lr_clf.score(X_test, y_test)
# %% [predict]
def predict_price(location, sqft, bath, bhk):
    loc_index = np.where(X.columns == location)[0][0]

    x = np.zeros(len(X.columns))
    x[0] = sqft
    x[1] = bath
    x[2] = bhk
    if loc_index >= 0:
        x[loc_index] = 1

    return lr_clf.predict([x])[0]
# %% [predict]
predict_price("Green Park", 1000, 2, 2)
# %% [predict]
predict_price("Green Park", 1000, 3, 3)
# %% [predict]
predict_price("Green Hills", 1400, 2, 3)
