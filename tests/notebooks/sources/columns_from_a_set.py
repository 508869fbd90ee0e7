# The order of the columns comes from a set, which differs from run to run.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

df = pd.read_csv("loans.csv")
# %% [feature]
columns = list(set(df.columns) - {"Status", "Home", "Marital", "Job"})
X = df[columns]
y = df["Status"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=52)
# %% [train]
rf = RandomForestClassifier(n_estimators=30, max_depth=6, random_state=52)
rf.fit(X_train, y_train)
# %% [predict]
y_pred = rf.predict(X_test)
