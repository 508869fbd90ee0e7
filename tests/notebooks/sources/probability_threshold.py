# The decision is a comparison of the probability with a threshold from the parameters.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
# %% [parameters]
threshold = 0.45
# %%
df = pd.read_csv("churn.csv")
# %% [feature]
def prepare(df):
    X = pd.DataFrame(index=df.index)
    X["senior"] = df["SeniorCitizen"]
    X["partner"] = (df["Partner"] == "Yes").astype(int)
    X["tenure"] = df["tenure"].clip(upper=60)
    X["long"] = df["Contract"].isin(["One year", "Two year"]).astype(int)
    X["charges"] = df["MonthlyCharges"]
    return X


X = prepare(df)
y = (df["Churn"] == "Yes").astype(int)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=1)
# %% [train]
model = LogisticRegression(solver="liblinear", random_state=1)
model.fit(X_train, y_train)
# %% [predict]
y_pred = model.predict_proba(X_val)[:, 1]
churn_decision = (y_pred >= threshold)
(y_val == churn_decision).mean()
