# Categories with few rows become "other"; dates as text; one-hot.

# %%
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import train_test_split
# %%
pumpkins = pd.read_csv("pumpkins.csv")
pumpkins.tail()
# %% [feature]
pumpkins = pumpkins[pumpkins["Package"].str.contains("bushel", case=True, regex=True)]
new_pumpkins = pumpkins[["Package", "Variety", "City Name", "Date", "Low Price", "High Price"]].copy()
price = (new_pumpkins["Low Price"] + new_pumpkins["High Price"]) / 2
new_pumpkins["Month"] = pd.DatetimeIndex(new_pumpkins["Date"]).month
new_pumpkins["DayOfYear"] = pd.to_datetime(new_pumpkins["Date"], format="%m/%d/%y").apply(
    lambda dt: (dt - pd.Timestamp(dt.year, 1, 1)).days
)
new_pumpkins["Price"] = price
new_pumpkins.loc[new_pumpkins["Package"].str.contains("1 1/9"), "Price"] = price / (1 + 1 / 9)
new_pumpkins.loc[new_pumpkins["Package"].str.contains("1/2"), "Price"] = price / (1 / 2)
new_pumpkins.head()
# %% [feature]
for col in ["Variety", "City Name"]:
    counts = new_pumpkins[col].value_counts()
    rare = counts[counts < 15].index
    new_pumpkins[col] = new_pumpkins[col].replace(rare, "other")
new_pumpkins["Variety"].value_counts()
# %% [feature]
X = (
    pd.get_dummies(new_pumpkins["Variety"])
    .join(new_pumpkins[["Month", "DayOfYear"]])
    .join(pd.get_dummies(new_pumpkins["City Name"]), lsuffix="_variety", rsuffix="_city")
    .join(pd.get_dummies(new_pumpkins["Package"]))
)
y = new_pumpkins["Price"]
# %% [train]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
lin_reg = Ridge(alpha=1.0)
lin_reg.fit(X_train, y_train)
# %% [predict]
pred = lin_reg.predict(X_test)
mean_absolute_error(y_test, pred)
