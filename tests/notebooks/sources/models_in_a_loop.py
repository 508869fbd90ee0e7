# Several models in a loop that fits, predicts and prints; what is left over is the last one.

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
# %%
df = pd.read_csv("churn.csv")
df = df.drop(columns=["customerID", "TotalCharges"])
# %% [feature]
y = (df["Churn"] == "Yes").astype(int)
X = pd.get_dummies(df.drop(columns="Churn"), drop_first=True, dtype=int)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=3)
# %% [train, predict]
models = {
    "naive bayes": GaussianNB(),
    "logistic": LogisticRegression(max_iter=2000),
    "forest": RandomForestClassifier(n_estimators=30, max_depth=5, random_state=3),
}
results = {}
for name, model in models.items():
    model.fit(X_train, y_train)
    y_pred = model.predict(X_test)
    results[name] = accuracy_score(y_test, y_pred)
    print(name, results[name])
