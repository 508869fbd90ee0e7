"""Functions that load tables, and tables that begin empty."""

from pathlib import Path

import pytest

from tests.path.inprocess import serve

MAKE = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

rng = np.random.default_rng(0)
made = pd.DataFrame({"a": rng.normal(size=40), "b": rng.normal(size=40), "t": ["one", "two!"] * 20})
made["y"] = made.a * 2 - made.b
made.to_csv("FOLDER/all.csv", index=False)
made[:30].to_csv("FOLDER/train.csv", index=False)
made[30:].drop(columns="y").to_csv("FOLDER/test.csv", index=False)
"""
ONE = "df = pd.read_csv('FOLDER/all.csv')\n"
CASES = {
    "two tables": (
        "def load():\n    train = pd.read_csv('FOLDER/train.csv')\n    test = pd.read_csv('FOLDER/test.csv')\n    return train, test\n"
        "train, test = load()\nX, y, X_test = train[['a', 'b']], train['y'], test[['a', 'b']]"
    ),
    "features and target": (
        "def load(name='all'):\n    df = pd.read_csv(f'FOLDER/{name}.csv')\n    return df[['a', 'b']], df['y']\nX, y = load()\nX_test = X"
    ),
    "an empty table that is filled": (
        ONE + "made = pd.DataFrame()\nmade['length'] = df['t'].apply(len)\nmade['a'] = df['a'] - df['a'].mean()\n"
        "X = pd.concat([df[['b']], made], axis=1)\ny, X_test = df['y'], X"
    ),
    "an empty table of named columns": (
        ONE + "made = pd.DataFrame(columns=['u', 'v'])\nmade['u'] = df['a']\nmade['v'] = df['b'] * 2\nX = made.astype(float)\n"
        "y, X_test = df['y'], X"
    ),
    "an empty table filled in a loop": (
        ONE + "X = pd.DataFrame()\nfor c in ['a', 'b']:\n    X[c] = (df[c] - df[c].mean()) / df[c].std()\ny, X_test = df['y'], X"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_its_rows_are_followed(name: str, tmp_path: Path) -> None:
    cells = [
        ("data", MAKE.replace("FOLDER", str(tmp_path))),
        ("feature", CASES[name].replace("FOLDER", str(tmp_path))),
        ("train", "model = LinearRegression().fit(X, y)"),
        ("predict", "p = model.predict(X_test)"),
    ]
    served = serve(cells, tmp_path)
    assert served.answers(served.predicted) == served.expected
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-12)
    assert "read_csv" not in served.features
