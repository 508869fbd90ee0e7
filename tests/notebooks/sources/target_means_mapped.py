# Mean of the target by category, computed on the training part and mapped onto both parts.

# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("cars.csv")
# %%
df_train, df_test = train_test_split(df, test_size=0.25, random_state=9)
df_train, df_test = df_train.copy(), df_test.copy()
# %% [feature]
name_price = df_train.groupby("Car_Name")["Selling_Price"].mean()
overall = df_train["Selling_Price"].mean()
for part in (df_train, df_test):
    part["name_price"] = part["Car_Name"].map(name_price).fillna(overall)
    part["log_km"] = np.log(part["Kms_Driven"])
# %% [train]
cols = ["name_price", "log_km", "Present_Price", "Year"]
lr = LinearRegression().fit(df_train[cols], df_train["Selling_Price"])
# %% [predict]
estimate = lr.predict(df_test[cols])
