# No split: the model predicts the table it was trained on, into a new column.

# %%
import pandas as pd
from sklearn.tree import DecisionTreeRegressor
# %%
df = pd.read_csv("cars.csv")
# %% [feature]
df["Age"] = 2020 - df["Year"]
df["Automatic"] = df["Transmission"] == "Automatic"
features = ["Present_Price", "Age", "Automatic", "Kms_Driven"]
# %% [train]
tree = DecisionTreeRegressor(max_depth=5, random_state=0)
tree.fit(df[features], df["Selling_Price"])
# %% [predict]
df["Predicted"] = tree.predict(df[features])
df["Error"] = df["Predicted"] - df["Selling_Price"]
df[["Car_Name", "Selling_Price", "Predicted", "Error"]].head()
