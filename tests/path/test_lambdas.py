"""Lambdas, wherever they stand and run, and functions that ask a table by its name for each row."""

from pathlib import Path

import pytest

from tests.path.inprocess import plan_and_serve, serve

LOAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

rng = np.random.default_rng(0)
df = pd.DataFrame({"a": rng.normal(size=40), "b": rng.normal(size=40), "g": [1.0, None, 3.0, 4.0] * 10})
df["y"] = df.a * 2 - df.b
"""
FIT = "model = LinearRegression().fit(X, df['y'])"
# Something before each lambda, so that its place in its own cell is none in the cell that calls it.
CASES = {
    "scales in another cell": (
        "one = [1, 2, 3]\ntwo = sum(one) + one[0] * 2\nscale = lambda s: (s - s.min()) / (s.max() - s.min())",
        "df['a'] = scale(df['a'])\nX = df[['a', 'b']]",
        FIT,
    ),
    "takes a statistic from its cell": (
        "middle = df['a'].mean()\nless = lambda d: d.assign(a=d['a'] - middle + d['b'].max())",
        "X = df.pipe(less)[['a', 'b']]",
        FIT,
    ),
    "inside the model": (
        "X = df[['a', 'b']]",
        "times = 3",
        "step = FunctionTransformer(lambda X: np.log1p(np.abs(X)) * times)\nmodel = make_pipeline(step, LinearRegression()).fit(X, df['y'])",
    ),
    "asks the table for each row": (
        "times = 2",
        "df['a'] = df['a'].apply(lambda v: (v - df['a'].mean()) / df['a'].std())\nX = df[['a', 'b']]",
        FIT,
    ),
    "a function asks the table for some rows": (
        "def filled(row):\n    if pd.isnull(row['g']):\n        return df['g'].median()\n    return row['g']",
        "df['g'] = df.apply(filled, axis=1)\nX = df[['a', 'g']]",
        FIT,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_served_as_it_ran(name: str, tmp_path: Path) -> None:
    first, second, train = CASES[name]
    cells = [
        ("data", LOAD),
        ("feature", first),
        ("feature", second),
        ("train", train),
        ("predict", "p = model.predict(X)"),
    ]
    served = serve(cells, tmp_path)
    assert served.answers(served.predicted) == served.expected
    one_by_one = served.one_by_one()
    assert one_by_one == pytest.approx(served.expected, rel=1e-12)


def test_a_lambda_that_asks_a_table_by_the_rows_own_key_has_it_as_it_was(tmp_path: Path) -> None:
    cells = [
        ("data", LOAD + "df['g'] = df['g'].fillna(0)"),
        (
            "feature",
            "df['gap'] = df.apply(lambda r: r['b'] - df[df['g'] == r['g']]['b'].mean(), axis=1)\nX = df[['a', 'gap']]",
        ),
        ("train", FIT),
        ("predict", "p = model.predict(X)"),
    ]
    made, served = plan_and_serve(cells, tmp_path)
    assert set(made.fields) == {"a", "b", "g"}
    assert "captured.df[captured.df['g'] == r['g']]" in made.composition.features
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-12)
