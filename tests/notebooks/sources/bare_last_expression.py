# Nothing is assigned: the prediction is the cell's last expression.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

df = pd.read_csv("loans.csv")
# %% [feature]
df["ratio"] = df.Amount / df.Price
df["owner"] = (df.Home == 2).astype("int64")
X = df[["Seniority", "Records", "Job", "Expenses", "ratio", "owner"]]
y = df.Status
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=6)
# %% [train]
rf = RandomForestClassifier(n_estimators=30, max_depth=5, random_state=6).fit(X_train, y_train)
# %% [predict]
rf.predict(X_test)
