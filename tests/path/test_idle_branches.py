"""Branches that no row took in the recorded run ask tables of training by name: these are kept, for a request has none of their rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.path.inprocess import plan_and_serve

LOAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
i = np.arange(120)
df = pd.DataFrame({"age": np.where((i < 80) & (i % 5 == 0), np.nan, 20.0 + i % 31), "klass": 1 + i % 3, "fare": 5.0 + 3 * (i % 11), "price": 100.0 + 13 * (i % 37)})
train, test = df[:80].copy(), df[80:].copy()
limit = 1000.0
"""
FILLED = """
train['age'] = train['age'].fillna(38.0)
X_train, X_test = train[['age', 'fare', 'klass']], test[['age', 'fare', 'klass']]
"""
MEAN = float(np.nanmean(np.where(np.arange(80) % 5 == 0, np.nan, 20.0 + np.arange(80) % 31)))
GROUP = float(np.nanmean([20.0 + k % 31 for k in range(80) if k % 5 and k % 3 == 0]))
# For each: the lines, and the age that a row of klass 1 without one gets.
CASES = {
    "a lambda": ("test['age'] = test['age'].apply(lambda v: train['age'].mean() if pd.isna(v) else v)", MEAN),
    "a function": (
        "def fill(v):\n    return train['age'].mean() if pd.isna(v) else v\ntest['age'] = test['age'].apply(fill)",
        MEAN,
    ),
    "a method": (
        (
            "class Filler:\n    def fill(self, v):\n        if pd.isna(v):\n            return train['age'].mean()\n        return v\n"
            "test['age'] = test['age'].apply(Filler().fill)"
        ),
        MEAN,
    ),
    "a function of the row": (
        (
            "def fill(r):\n    if pd.isna(r['age']):\n        return train.loc[train['klass'] == r['klass'], 'age'].mean()\n    return r['age']\n"
            "test['age'] = test.apply(fill, axis=1)"
        ),
        GROUP,
    ),
    "groups in a lambda": (
        "test['age'] = test.apply(lambda r: train.groupby('klass')['age'].mean()[r['klass']] if pd.isna(r['age']) else r['age'], axis=1)",
        GROUP,
    ),
    "a comprehension": ("test['age'] = [train['age'].mean() if pd.isna(v) else v for v in test['age']]", MEAN),
    "a plain value in a comprehension": ("test['age'] = [limit if pd.isna(v) else v for v in test['age']]", 1000.0),
    "a loop": (
        (
            "ages = []\nfor v in test['age']:\n    if pd.isna(v):\n        ages.append(train['age'].mean())\n    else:\n        ages.append(v)\n"
            "test['age'] = ages"
        ),
        MEAN,
    ),
    "a lambda in a function": (
        (
            "def prepare(t):\n    t = t.copy()\n    t['age'] = t['age'].apply(lambda v: train['age'].mean() if pd.isna(v) else v)\n    return t\n"
            "test = prepare(test)"
        ),
        MEAN,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_branch_that_no_predicted_row_took_asks_training(name: str, tmp_path: Path) -> None:
    feature, age = CASES[name]
    cells = [
        ("data", LOAD),
        ("feature", feature + FILLED),
        ("train", "model = LinearRegression().fit(X_train, train['price'])"),
        ("predict", "y_pred = model.predict(X_test)"),
        (None, "limit = 0.0"),
    ]
    _, served = plan_and_serve(cells, tmp_path)
    row = {"klass": 1, "fare": 20.0, "price": 100.0}
    missing, given = served.answers_to(pd.DataFrame([{**row, "age": np.nan}, {**row, "age": age}]))
    assert missing == pytest.approx(given, rel=1e-12)
