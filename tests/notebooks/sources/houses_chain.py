# A chain df1 ... df12 of renamed frames: text to numbers, rare places to "other", outliers removed group by group.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
%matplotlib inline
# %%
df1 = pd.read_csv("houses.csv")
df1.head()
# %%
df1.groupby("area_type")["area_type"].agg("count")
# %% [feature]
df2 = df1.drop(["area_type", "society", "balcony", "availability"], axis="columns")
df2.isnull().sum()
# %% [feature]
df3 = df2.dropna().copy()
df3["bhk"] = df3["size"].apply(lambda x: int(x.split(" ")[0]))
df3.bhk.unique()
# %% [feature]
def convert_sqft_to_num(x):
    tokens = x.split("-")
    if len(tokens) == 2:
        return (float(tokens[0]) + float(tokens[1])) / 2
    try:
        return float(x)
    except ValueError:
        return None


df4 = df3.copy()
df4.total_sqft = df4.total_sqft.apply(convert_sqft_to_num)
df4 = df4[df4.total_sqft.notnull()]
df4.head(2)
# %% [feature]
df5 = df4.copy()
df5["price_per_sqft"] = df5["price"] * 100000 / df5["total_sqft"]
df5.location = df5.location.apply(lambda x: x.strip())
location_stats = df5["location"].value_counts(ascending=False)
location_stats_less_than_10 = location_stats[location_stats <= 10]
df5.location = df5.location.apply(lambda x: "other" if x in location_stats_less_than_10 else x)
len(df5.location.unique())
# %% [feature]
df6 = df5[~(df5.total_sqft / df5.bhk < 300)]
df6.shape
# %% [feature]
def remove_pps_outliers(df):
    df_out = pd.DataFrame()
    for key, subdf in df.groupby("location"):
        m = np.mean(subdf.price_per_sqft)
        st = np.std(subdf.price_per_sqft)
        reduced_df = subdf[(subdf.price_per_sqft > (m - 1.5 * st)) & (subdf.price_per_sqft <= (m + 1.5 * st))]
        df_out = pd.concat([df_out, reduced_df], ignore_index=True)
    return df_out


df7 = remove_pps_outliers(df6)
df7.shape
# %%
plt.hist(df7.price_per_sqft, rwidth=0.8)
plt.xlabel("Price Per Square Feet")
# %% [feature]
df8 = df7[df7.bath < df7.bhk + 2]
df9 = df8.drop(["size", "price_per_sqft"], axis="columns")
# %% [feature]
dummies = pd.get_dummies(df9.location)
df10 = pd.concat([df9, dummies.drop("other", axis="columns")], axis="columns")
df11 = df10.drop("location", axis="columns")
df11.head(2)
# %% [feature]
X = df11.drop(["price"], axis="columns")
y = df11.price
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=10)
# %% [train]
lr_clf = LinearRegression()
lr_clf.fit(X_train, y_train)
lr_clf.score(X_test, y_test)
# %% [predict]
y_pred = lr_clf.predict(X_test)
y_pred[:3]
