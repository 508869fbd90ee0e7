# Column names made uniform, then a loop over the string columns that cleans every one, the target among them.

# %%
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
# %%
df = pd.read_csv("churn.csv")
df.head().T
# %% [feature]
df.columns = df.columns.str.lower().str.replace(" ", "_")

categorical_columns = list(df.dtypes[df.dtypes == "str"].index)
for c in categorical_columns:
    df[c] = df[c].str.lower().str.replace(" ", "_")
df.head().T
# %% [feature]
df.totalcharges = pd.to_numeric(df.totalcharges, errors="coerce")
df.totalcharges = df.totalcharges.fillna(0)
df.churn = (df.churn == "yes").astype(int)
# %%
df_train, df_test = train_test_split(df, test_size=0.2, random_state=1)
# %% [feature]
numerical = ["tenure", "monthlycharges", "totalcharges"]
categorical = ["gender", "seniorcitizen", "internetservice", "contract", "paymentmethod"]
ct = make_column_transformer(
    (StandardScaler(), numerical),
    (OneHotEncoder(handle_unknown="ignore"), categorical),
)
X_train = ct.fit_transform(df_train)
X_test = ct.transform(df_test)
# %% [train]
model = LogisticRegression(max_iter=1000)
model.fit(X_train, df_train.churn)
# %% [predict]
y_pred = model.predict(X_test)
(y_pred == df_test.churn).mean()
