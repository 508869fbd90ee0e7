# One customer is taken out as a dict, and its probability decides.

# %%
import pandas as pd
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

df = pd.read_csv("cars.csv")
df.columns = df.columns.str.lower()
# %% [feature]
df["age"] = 2020 - df["year"]
numerical = ["present_price", "kms_driven", "age"]
categorical = ["fuel_type", "seller_type"]
df_train, df_test = train_test_split(df, test_size=0.2, random_state=1)
y_train = (df_train["selling_price"] > 4).astype(int).values
# %% [train]
dv = DictVectorizer(sparse=False)
X_train = dv.fit_transform(df_train[categorical + numerical].to_dict(orient="records"))
model = LogisticRegression(solver="liblinear", C=1.0, random_state=1)
model.fit(X_train, y_train)
# %% [predict]
customer = df_test[categorical + numerical].iloc[10].to_dict()
X_small = dv.transform([customer])
y_pred = model.predict_proba(X_small)[0, 1]
y_pred
