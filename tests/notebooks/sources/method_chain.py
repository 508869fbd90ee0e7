# One long chain: rename, assign with lambdas, pipe, astype.

# %%
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
# %%
raw = pd.read_csv("churn.csv")
# %% [feature]
def add_flags(frame, services):
    for service in services:
        frame[f"has_{service.lower()}"] = frame[service].eq("Yes")
    return frame


df = (
    raw.rename(columns={"SeniorCitizen": "senior", "MonthlyCharges": "monthly"})
    .assign(
        total=lambda d: pd.to_numeric(d["TotalCharges"].str.strip(), errors="coerce"),
        average=lambda d: d["total"] / d["tenure"].where(d["tenure"] > 0),
        step=lambda d: d["monthly"] - d["average"],
        churned=lambda d: d["Churn"].eq("Yes"),
    )
    .pipe(add_flags, services=["Partner", "OnlineSecurity"])
    .astype({"senior": bool})
)
df.head()
# %% [feature]
columns = ["senior", "monthly", "average", "step", "has_partner", "has_onlinesecurity", "tenure"]
train = df.sample(frac=0.75, random_state=1)
test = df.drop(train.index)
# %% [train]
gb = HistGradientBoostingClassifier(max_iter=40, random_state=1)
gb.fit(train[columns], train["churned"])
# %% [predict]
churn_probability = gb.predict_proba(test[columns])[:, 1]
