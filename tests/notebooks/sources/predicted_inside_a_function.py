# Model and prediction are local to a function.

# %%
import pandas as pd
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier

df = pd.read_csv("churn.csv")
# %% [feature]
df["tenure_years"] = df["tenure"] / 12
df["auto"] = df["PaymentMethod"].isin(["Bank transfer", "Credit card"])
features = ["tenure_years", "auto", "MonthlyCharges", "SeniorCitizen"]
# %% [train, predict]
def run(model, frame, columns, target):
    X_train, X_test, y_train, y_test = train_test_split(
        frame[columns], frame[target], test_size=0.2, random_state=77
    )
    model.fit(X_train, y_train)
    predicted = model.predict(X_test)
    print(accuracy_score(y_test, predicted))
    return predicted


result = run(DecisionTreeClassifier(max_depth=4, random_state=7), df, features, "Churn")
