# Columns picked by type, numbers scaled and words encoded by loops over them.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
# %%
df = pd.read_csv("churn.csv")
df["TotalCharges"] = df["TotalCharges"].replace(" ", "0").astype(float)
y = df["Churn"] == "Yes"
X = df.drop(["customerID", "Churn"], axis=1)
# %% [feature]
num = X.select_dtypes(include=["int64", "float64"]).columns
cat = X.select_dtypes(exclude=["int64", "float64"]).columns
for col in cat:
    if X[col].nunique() == 2:
        first = sorted(X[col].unique())[0]
        X[col] = (X[col] == first).astype(int)
    else:
        X = X.join(pd.get_dummies(X[col], prefix=col, dtype=int)).drop(columns=col)
scaler = StandardScaler()
X[num] = scaler.fit_transform(X[num])
X.head()
# %% [train]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=99)
lr = LogisticRegression(max_iter=1000)
lr.fit(X_train, y_train)
# %% [predict]
will_leave = lr.predict(X_test)
