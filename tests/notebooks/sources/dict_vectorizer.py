# Course style: lower-case columns, codes to words, a hand-filled target, split in three, records, DictVectorizer.

# %%
import numpy as np
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
# %%
df = pd.read_csv("loans.csv")
df.head()
# %% [feature]
df.columns = df.columns.str.lower()

status_values = {1: "ok", 2: "default", 0: "unk"}
df.status = df.status.map(status_values)

home_values = {1: "rent", 2: "owner", 3: "private", 4: "ignore", 5: "parents", 6: "other", 0: "unk"}
df.home = df.home.map(home_values)

job_values = {1: "fixed", 2: "partime", 3: "freelance", 4: "others", 0: "unk"}
df.job = df.job.map(job_values)
df.head()
# %%
df.describe().round()
# %% [feature]
for c in ["income", "assets", "debt"]:
    df[c] = df[c].replace(to_replace=99999999, value=np.nan)

df = df[df.status != "unk"].reset_index(drop=True)
# %%
df_full_train, df_test = train_test_split(df, test_size=0.2, random_state=11)
df_train, df_val = train_test_split(df_full_train, test_size=0.25, random_state=11)

df_train = df_train.reset_index(drop=True)
df_val = df_val.reset_index(drop=True)
df_test = df_test.reset_index(drop=True)

y_train = (df_train.status == "default").astype("int").values
y_val = (df_val.status == "default").astype("int").values
y_test = (df_test.status == "default").astype("int").values

del df_train["status"]
del df_val["status"]
del df_test["status"]
# %% [feature]
train_dicts = df_train.fillna(0).to_dict(orient="records")
dv = DictVectorizer(sparse=False)
X_train = dv.fit_transform(train_dicts)
list(dv.get_feature_names_out())[:5]
# %% [train]
dt = DecisionTreeClassifier(max_depth=4, min_samples_leaf=15, random_state=1)
dt.fit(X_train, y_train)
# %% [feature, predict]
val_dicts = df_val.fillna(0).to_dict(orient="records")
X_val = dv.transform(val_dicts)
y_pred = dt.predict_proba(X_val)[:, 1]
roc_auc_score(y_val, y_pred)
