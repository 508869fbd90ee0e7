# Features after the split under another name; a fitted encoder shared through a global; a flag for training.

# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder
# %%
orders = pd.read_csv("orders.csv")
df, df_val = train_test_split(orders, test_size=0.2, random_state=3)
# %% [feature]
encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
stats = {}


def build(frame, training=False):
    out = frame[["quantity", "unit_price"]].copy()
    out["amount"] = out["quantity"] * out["unit_price"]
    if training:
        encoder.fit(frame[["category"]])
        stats["mean"] = out["amount"].mean()
        stats["std"] = out["amount"].std()
    out["amount"] = (out["amount"] - stats["mean"]) / stats["std"]
    onehot = encoder.transform(frame[["category"]])
    onehot = pd.DataFrame(onehot, columns=encoder.get_feature_names_out(), index=frame.index)
    return pd.concat([out, onehot], axis=1)
# %% [feature]
df_features = build(df, training=True)
# %% [train]
model = LogisticRegression(max_iter=300).fit(df_features, df["returned"])
# %% [predict]
df_val_features = build(df_val)
returned = model.predict_proba(df_val_features)[:, 1]
