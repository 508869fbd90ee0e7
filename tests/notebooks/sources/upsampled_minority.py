# The minority is drawn with replacement before the split, so rows appear several times, in train and in test.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.utils import resample

df = pd.read_csv("churn.csv")
# %% [feature]
df["contract_months"] = df["Contract"].map({"Month-to-month": 1, "One year": 12, "Two year": 24})
df["fiber"] = df["InternetService"].str.contains("Fiber").astype(int)
df = df[["contract_months", "fiber", "tenure", "MonthlyCharges", "Churn"]]
# %% [train]
stay = df[df["Churn"] == "No"]
leave = df[df["Churn"] == "Yes"]
leave_upsampled = resample(leave, replace=True, n_samples=len(stay), random_state=123)
balanced = pd.concat([stay, leave_upsampled])
balanced["Churn"].value_counts()
# %% [train]
X_train, X_test, y_train, y_test = train_test_split(
    balanced.drop("Churn", axis=1), balanced["Churn"], test_size=0.25, random_state=123
)
clf = LogisticRegression(max_iter=500).fit(X_train, y_train)
# %% [predict]
y_pred = clf.predict(X_test)
