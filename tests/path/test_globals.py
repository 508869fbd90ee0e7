"""Functions that change the notebook's own variables: ``global df``."""

from pathlib import Path

import pytest

from tests.path.inprocess import serve

LOAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

rng = np.random.default_rng(0)
df = pd.DataFrame({"a": rng.normal(size=40), "b": rng.normal(size=40)})
df["y"] = df.a * 2 - df.b
"""
CASES = {
    "changed and bound anew": """
def clean():
    global df
    df["c"] = df["a"] - df["a"].mean()
    df = df.drop(columns=["b"])
clean()
X = df[["a", "c"]]
""",
    "made there": """
def make():
    global X, y
    X = df[["a", "b"]] * 2
    y = df["y"]
make()
""",
    "a counter beside": """
calls = 0
def doubled(v):
    global calls
    calls += 1
    return v * 2
df["c"] = df["a"].apply(doubled)
X = df[["a", "c"]]
""",
    "one after the other": """
def first():
    global df
    df = df.assign(c=df["a"] * 2)
def second():
    global df
    df["d"] = df["c"] / df["c"].max()
first()
second()
X = df[["c", "d"]]
""",
    "one by the other": """
def inner():
    global df
    df = df.assign(c=df["a"] * 2)
def outer():
    inner()
    df["d"] = df["c"] * 3
outer()
X = df[["c", "d"]]
""",
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_served_inside_the_function_that_has_the_table(name: str, tmp_path: Path) -> None:
    cells = [
        ("data", LOAD),
        ("feature", CASES[name]),
        ("train", "model = LinearRegression().fit(X, df['y'])"),
        ("predict", "p = model.predict(X)"),
    ]
    served = serve(cells, tmp_path)
    assert served.answers(served.predicted) == served.expected
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-12)
    assert "global" not in served.features
