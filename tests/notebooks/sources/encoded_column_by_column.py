# A function that encodes text columns by a LabelEncoder of its own, applied to the frame column by column.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder

df = pd.read_csv("churn.csv")
# %% [feature]
df = df.drop(["customerID", "TotalCharges"], axis=1)


def object_to_int(dataframe_series):
    if dataframe_series.dtype == "object" or dataframe_series.dtype == "str":
        dataframe_series = LabelEncoder().fit_transform(dataframe_series)
    return dataframe_series


df = df.apply(lambda x: object_to_int(x))
df.head()
# %% [feature]
X = df.drop(columns=["Churn"])
y = df["Churn"].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.30, random_state=40, stratify=y)
# %% [train]
model_rf = RandomForestClassifier(n_estimators=30, random_state=50)
model_rf.fit(X_train, y_train)
# %% [predict]
prediction_test = model_rf.predict(X_test)
