"""The notebook of the serving benchmark, and the same code as a person would carry it over by hand.

``CELLS`` is what ours is built from; ``features`` is copied from it line by line, with training's medians kept.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

MODELS = {
    "lr": "make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))",
    "rf": "RandomForestClassifier(n_estimators=100, random_state=0)",
}

LOAD = """
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

df = pd.read_csv("customers.csv")
"""

FEATURES = """
df["age"] = df["age"].fillna(df["age"].median())
df["income"] = df["income"].fillna(df["income"].median())
df["score"] = df["score"].fillna(0.0)
df["log_income"] = np.log1p(df["income"])
df["per_visit"] = df["balance"] / (df["visits"] + 1)
signup = pd.to_datetime(df["signup"], format="%Y-%m-%d")
df["month"] = signup.dt.month
df["weekday"] = signup.dt.dayofweek
df["is_pro"] = (df["plan"] == "pro").astype(int)
df["region_code"] = df["region"].map({"north": 0, "south": 1, "east": 2, "west": 3}).fillna(-1)
for device in ("phone", "tablet", "desktop"):
    df["on_" + device] = (df["device"] == device).astype(int)
columns = ["age", "income", "score", "tenure", "visits", "balance", "log_income", "per_visit", "month", "weekday",
           "is_pro", "region_code", "on_phone", "on_tablet", "on_desktop"]
X = df[columns]
"""

CELLS = (
    (LOAD, ("data",)),
    (FEATURES, ("feature",)),
    (
        """
X_train, X_test, y_train, y_test = train_test_split(X, df["churned"], test_size=0.25, random_state=0)
model = {model}
model.fit(X_train, y_train)
""",
        ("train",),
    ),
    ("y_pred = model.predict(X_test)", ("predict",)),
)

FIELDS = ("age", "income", "tenure", "visits", "balance", "score", "plan", "region", "device", "signup")
COLUMNS = [
    "age", "income", "score", "tenure", "visits", "balance", "log_income", "per_visit", "month", "weekday",
    "is_pro", "region_code", "on_phone", "on_tablet", "on_desktop",
]  # fmt: skip


def customers(count: int, seed: int) -> pd.DataFrame:
    """Made rows: numbers with gaps, three string columns, a date as text."""
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, count), unit="D")
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(count) < 0.1, np.nan, rng.integers(18, 80, count)),
            "income": np.where(rng.random(count) < 0.1, np.nan, rng.lognormal(10, 0.5, count).round(2)),
            "tenure": rng.integers(0, 120, count),
            "visits": rng.integers(0, 60, count),
            "balance": rng.normal(1000, 400, count).round(2),
            "score": np.where(rng.random(count) < 0.2, np.nan, rng.random(count).round(4)),
            "plan": rng.choice(["free", "basic", "pro"], count),
            "region": rng.choice(["north", "south", "east", "west"], count),
            "device": rng.choice(["phone", "tablet", "desktop"], count),
            "signup": days.strftime("%Y-%m-%d"),
        }
    )
    chance = 0.3 + 0.3 * (frame["plan"] == "free") - 0.004 * frame["visits"] + 0.1 * (frame["device"] == "phone")
    frame["churned"] = (rng.random(count) < chance).astype(int)
    return frame


def features(df: pd.DataFrame, medians: dict[str, float]) -> pd.DataFrame:
    """The feature cell by hand."""
    df["age"] = df["age"].fillna(medians["age"])
    df["income"] = df["income"].fillna(medians["income"])
    df["score"] = df["score"].fillna(0.0)
    df["log_income"] = np.log1p(df["income"])
    df["per_visit"] = df["balance"] / (df["visits"] + 1)
    signup = pd.to_datetime(df["signup"], format="%Y-%m-%d")
    df["month"] = signup.dt.month
    df["weekday"] = signup.dt.dayofweek
    df["is_pro"] = (df["plan"] == "pro").astype(int)
    df["region_code"] = df["region"].map({"north": 0, "south": 1, "east": 2, "west": 3}).fillna(-1)
    for device in ("phone", "tablet", "desktop"):
        df["on_" + device] = (df["device"] == device).astype(int)
    return df[COLUMNS]


def frame_of(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows of a request as a frame with training's types: a missing number must not make an object column."""
    floats = dict.fromkeys(("age", "income", "balance", "score"), "float64")
    return pd.DataFrame(rows, columns=list(FIELDS)).astype(floats)
