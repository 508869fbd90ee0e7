# One anonymous LabelEncoder for each column of a list that holds the target's name too.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder
# %%
df = pd.read_csv("churn.csv")
df.info()
# %% [feature]
df["TotalCharges"] = pd.to_numeric(df["TotalCharges"], errors="coerce")
df["TotalCharges"] = df["TotalCharges"].fillna(df["TotalCharges"].median())
df = df.drop("customerID", axis=1)
# %% [feature]
cat_cols = ["gender", "Partner", "InternetService", "OnlineSecurity", "Contract", "PaymentMethod", "Churn"]
for c in cat_cols:
    df[c] = LabelEncoder().fit_transform(df[c])
df.head()
# %%
X = df.drop("Churn", axis=1)
y = df["Churn"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
# %% [train]
rf = RandomForestClassifier(n_estimators=40, max_depth=6, random_state=0)
rf.fit(X_train, y_train)
# %% [predict]
y_pred = rf.predict(X_test)
y_pred
