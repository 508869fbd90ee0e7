# No estimator: the model is a pair (w0, w) from a hand-written regression; the split is by a shuffled index.

# %%
import numpy as np
import pandas as pd
# %%
df = pd.read_csv("cars.csv")
df.columns = df.columns.str.lower()
# %%
n = len(df)
n_val = int(n * 0.2)
n_train = n - n_val

np.random.seed(2)
idx = np.arange(n)
np.random.shuffle(idx)

df_train = df.iloc[idx[:n_train]].reset_index(drop=True)
df_val = df.iloc[idx[n_train:]].reset_index(drop=True)

y_train = np.log1p(df_train.selling_price.values)
y_val = np.log1p(df_val.selling_price.values)
del df_train["selling_price"]
del df_val["selling_price"]
# %% [train]
def train_linear_regression_reg(X, y, r=0.01):
    ones = np.ones(X.shape[0])
    X = np.column_stack([ones, X])

    XTX = X.T.dot(X)
    XTX = XTX + r * np.eye(XTX.shape[0])

    XTX_inv = np.linalg.inv(XTX)
    w_full = XTX_inv.dot(X.T).dot(y)

    return w_full[0], w_full[1:]
# %% [feature]
base = ["present_price", "kms_driven", "owner"]


def prepare_X(df):
    df = df.copy()
    features = base.copy()

    df["age"] = 2020 - df.year
    features.append("age")

    for v in ["Petrol", "Diesel"]:
        df["fuel_%s" % v] = (df.fuel_type == v).astype("int")
        features.append("fuel_%s" % v)

    df_num = df[features]
    df_num = df_num.fillna(0)
    X = df_num.values
    return X
# %% [feature, train]
X_train = prepare_X(df_train)
w0, w = train_linear_regression_reg(X_train, y_train)
w0, w
# %% [feature, predict]
X_val = prepare_X(df_val)
y_pred = w0 + X_val.dot(w)
np.sqrt(((y_val - y_pred) ** 2).mean())
