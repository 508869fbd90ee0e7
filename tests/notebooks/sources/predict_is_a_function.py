# The notebook has functions called `train` and `predict`, as courses teach it.

# %%
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
# %%
df = pd.read_csv("churn.csv")
df.columns = df.columns.str.lower()
# %% [feature]
columns = ["gender", "contract", "tenure", "monthlycharges"]
df_train, df_test = train_test_split(df, test_size=0.25, random_state=1)
df_test = df_test.reset_index(drop=True)


def train(df, y):
    dicts = df[columns].to_dict(orient="records")
    dv = DictVectorizer(sparse=False)
    X_train = dv.fit_transform(dicts)
    model = LogisticRegression(max_iter=2000)
    model.fit(X_train, y)
    return dv, model


def predict(df, dv, model):
    dicts = df[columns].to_dict(orient="records")
    X = dv.transform(dicts)
    return model.predict_proba(X)[:, 1]
# %% [train]
dv, model = train(df_train, df_train.churn)
# %% [predict]
y_pred = predict(df_test, dv, model)
