# The target is mapped, grouped by and dropped in feature cells; none of it is a reason to refuse.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
# %%
df = pd.read_csv("churn.csv")
# %% [feature]
df["Churn"] = df["Churn"].map({"Yes": 1, "No": 0})
print(df["Churn"].value_counts())
df["fiber"] = (df["InternetService"] == "Fiber optic").astype(int)
df["monthly"] = (df["Contract"] == "Month-to-month").astype(int)
df.groupby("Contract")["Churn"].mean()
# %% [feature]
df["charge_per_month"] = df["MonthlyCharges"] / (df["tenure"] + 1)
churned = df[df["Churn"] == 1]
print("median tenure of those who left", churned["tenure"].median())
data = df[["Churn", "fiber", "monthly", "tenure", "MonthlyCharges", "charge_per_month"]]
data.corr()["Churn"]
# %% [feature]
X = data.iloc[:, 1:].values
y = data.iloc[:, 0].values
# %% [train]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=10)
classifier = LogisticRegression(max_iter=1000)
classifier.fit(X_train, y_train)
# %% [predict]
y_pred = classifier.predict(X_test)
