# Rows far from their group's mean are dropped in functions that go through the groups: training's choice, none of a request's.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

df1 = pd.read_csv("houses.csv")
# %% [feature]
df2 = df1[["location", "total_sqft", "bath", "price"]].dropna()
df2["total_sqft"] = pd.to_numeric(df2["total_sqft"], errors="coerce")
df3 = df2[df2.total_sqft.notnull()].copy()
df3["price_per_sqft"] = df3["price"] * 100000 / df3["total_sqft"]


# %% [feature]
def remove_pps_outliers(df):
    df_out = pd.DataFrame()
    for key, subdf in df.groupby("location"):
        m = np.mean(subdf.price_per_sqft)
        st = np.std(subdf.price_per_sqft)
        reduced_df = subdf[(subdf.price_per_sqft > (m - st)) & (subdf.price_per_sqft <= (m + st))]
        df_out = pd.concat([df_out, reduced_df], ignore_index=True)
    return df_out


df4 = remove_pps_outliers(df3)
df4.shape


# %% [feature]
def remove_bath_outliers(df):
    exclude_indices = np.array([])
    for location, location_df in df.groupby("location"):
        stats = {}
        for bath, bath_df in location_df.groupby("bath"):
            stats[bath] = {"mean": np.mean(bath_df.price_per_sqft), "count": bath_df.shape[0]}
        for bath, bath_df in location_df.groupby("bath"):
            known = stats.get(bath - 1)
            if known and known["count"] > 2:
                exclude_indices = np.append(
                    exclude_indices, bath_df[bath_df.price_per_sqft < (known["mean"])].index.values
                )
    return df.drop(exclude_indices, axis="index")


df5 = remove_bath_outliers(df4)
df6 = df5.drop(["price_per_sqft"], axis="columns")
# %% [feature]
dummies = pd.get_dummies(df6.location)
X = pd.concat([df6.drop(["location", "price"], axis="columns"), dummies], axis="columns")
y = df6.price
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=10)
# %% [train]
lr_clf = LinearRegression()
lr_clf.fit(X_train, y_train)
# %% [predict]
y_pred = lr_clf.predict(X_test)
