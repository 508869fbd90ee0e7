"""Two notebooks whose predicted rows show little of what they do: every decision of a plan matters for rows of training alone.

Of homes: houses, villas, a missing age or fee, the port C, large gardens and old buildings are among the rows of training only. Of visits: the test
file lacks cities, channels and missing values that the training file has. Each has lines after the prediction that bind its names anew.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_notebook

HOMES = [
    ("data", "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression, Ridge\n\ndf = pd.read_csv('homes.csv')"),
    (
        "feature",
        """df = df[df["port"] != "X"]
df = df[df["price"] < 2000]
guesses = [38.0, 30.0, 25.0]
limit = 40
rates = {"A": 1.0, "B": 1.5, "C": 4.0, "X": 2.0}


def impute(row):
    return guesses[int(row["klass"]) - 1] if pd.isnull(row["age"]) else row["age"]


df["age"] = df[["age", "klass"]].apply(impute, axis=1)
df["area"] = np.where(df["kind"] == "flat", df["living"], df["lot"])
df["fee"] = df["fee"].fillna(df["fee"].median())
df["rate"] = df["port"].map(rates)
df["villa"] = (df["kind"] == "villa").astype(int)
df["garden"] = df["garden"].clip(upper=900)
df["old"] = (2020 - df["built"] > limit).astype(int)
df.loc[df["fare"] < 0, "fare"] = 0.0
df["heat"] = df["heat"].fillna("none")
X = df[["area", "age", "fee", "rate", "villa", "garden", "old", "fare", "heat"]]
X = pd.get_dummies(X, columns=["heat"], dtype=float)""",
    ),
    (
        "train",
        """n = 340
model = LinearRegression().fit(X[:n], df["price"][:n])
other = Ridge(alpha=500.0).fit(X[:n], df["price"][:n])""",
    ),
    (
        "predict",
        """y_pred = model.predict(X[n:])
y_pred = np.clip(y_pred, 150.0, 400.0)""",
    ),
    (
        "",
        """guesses = df.groupby("klass")["fare"].mean().mul(100).tolist()
limit = 5
rates = {name: 10.0 for name in rates}
model_of_all = LinearRegression().fit(X, df["price"])""",
    ),
]  # fmt: skip

VISITS = [
    ("data", "import pandas as pd\nfrom sklearn.linear_model import LinearRegression, LogisticRegression\nfrom sklearn.preprocessing import StandardScaler\n\ntrain = pd.read_csv('visits_train.csv')\ntest = pd.read_csv('visits_test.csv')"),
    (
        "feature",
        """median = train["age"].median()
means = train.groupby("city")["spend"].mean()
for table in (train, test):
    table["age"] = table["age"].fillna(median)
    table["usual"] = table["city"].map(means).fillna(train["spend"].mean())
    table["web"] = (table["channel"] == "web").astype(int)
    table["lone"] = ((table["size"] == 1) & (table["channel"] == "shop")).astype(int)
names = ["age", "usual", "spend", "web", "lone", "city"]
A = pd.get_dummies(train[names], dtype=float)
B = pd.get_dummies(test[names], dtype=float).reindex(columns=A.columns, fill_value=0.0)
scaler = StandardScaler().fit(A)
A, B = scaler.transform(A), scaler.transform(B)""",
    ),
    ("train", "clf = LogisticRegression(max_iter=2000).fit(A, train['back'])\nrival = LogisticRegression(C=0.01).fit(A, train['back'])\nthreshold = 0.4"),
    ("predict", "p = clf.predict_proba(B)[:, 1]\nanswer = (p > threshold) * p"),
    ("", "median = test['age'].median()\nmeans = test.groupby('city')['spend'].mean()\nthreshold = 0.5"),
]  # fmt: skip


def homes() -> pd.DataFrame:
    """520 rows; the last 120 are predicted."""
    rng = np.random.default_rng(7)
    n, rare = 520, np.arange(520) < 400
    kind = np.where(rare, rng.choice(["flat", "flat", "house", "villa"], n), "flat")
    frame = pd.DataFrame(
        {
            "kind": kind,
            "living": rng.integers(40, 120, n).astype(float),
            "lot": rng.integers(300, 900, n).astype(float),
            "age": np.where(rare & (rng.random(n) < 0.2), np.nan, rng.integers(20, 60, n)),
            "klass": rng.integers(1, 4, n),
            "fee": np.where(rare & (rng.random(n) < 0.2), np.nan, rng.integers(10, 90, n)),
            "port": np.where(rare, rng.choice(["A", "B", "C", "C", "X"], n), rng.choice(["A", "B"], n)),
            "garden": np.where(rare, rng.integers(0, 1500, n), rng.integers(0, 800, n)).astype(float),
            "built": np.where(rare, rng.integers(1950, 2020, n), rng.integers(1990, 2020, n)),
            "fare": np.where(rare & (rng.random(n) < 0.1), -5.0, rng.integers(1, 50, n)),
            "heat": np.where(rare, rng.choice(["gas", "wood", None], n), rng.choice(["gas", "wood"], n)),
        }
    )
    frame["price"] = 200 + frame["living"] + 30 * (frame["kind"] == "villa") + frame["garden"] / 9 + rng.normal(0, 9, n)
    return frame.round(2)


def visits() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training file and the test file."""
    rng = np.random.default_rng(8)

    def table(n: int, cities: list[str], channels: list[str], gaps: float) -> pd.DataFrame:
        made = pd.DataFrame(
            {
                "city": rng.choice(cities, n),
                "channel": rng.choice(channels, n),
                "size": rng.integers(1, 5, n),
                "age": np.where(rng.random(n) < gaps, np.nan, rng.integers(18, 80, n)),
                "spend": rng.gamma(2.0, 30.0, n).round(2),
            }
        )
        risk = made["spend"] / 60 + 2.0 * (made["city"] == "Bonn") - (made["channel"] == "web") + rng.normal(0, 1, n)
        return made.assign(back=(risk > 1).astype(int))

    train = table(500, ["Oslo", "Rome", "Bonn", "Lund"], ["shop", "web", "phone"], 0.15)
    return train, table(160, ["Oslo", "Rome"], ["phone", "shop"], 0.0).drop(columns="back")


def write(name: str, folder: Path) -> Path:
    """Write `homes` or `visits` with its tables into the folder; the notebook's path."""
    folder.mkdir(parents=True, exist_ok=True)
    if name == "homes":
        homes().to_csv(folder / "homes.csv", index=False)
    else:
        train, test = visits()
        train.to_csv(folder / "visits_train.csv", index=False)
        test.to_csv(folder / "visits_test.csv", index=False)
    cells = [
        new_code_cell(source, metadata={"tags": [tag]} if tag else {})
        for tag, source in (HOMES if name == "homes" else VISITS)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path
