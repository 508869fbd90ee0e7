"""Answers that differ by rounding alone are equal, whatever makes them differ, and the plan knows by how much."""

from __future__ import annotations

from pathlib import Path

import pytest

from nb2prod.errors import Refused
from tests.path.inprocess import plan

LOAD = """import numpy as np
import pandas as pd
rng = np.random.default_rng(0)
values = rng.normal(size=(300, 8)).round(3)
y = (values @ np.array([2, -1, 3, 1, -2, 1, 2, -3.0])).round(9)
df = pd.DataFrame({**dict(zip("abcdefgh", values.T)), "note": np.arange(300) % 5, "y": y})"""

FOREST = """from sklearn.ensemble import RandomForestRegressor
model = RandomForestRegressor(n_jobs=-1, n_estimators=10, random_state=0).fit(X[:200], df["y"][:200])"""

FLOAT32 = """class Net:
    def fit(self, X, y):
        w = np.linalg.lstsq(X.to_numpy(), y.to_numpy(), rcond=None)[0]
        self.w = np.sin(np.arange(512) ** 1.5).reshape(8, 64).astype("float32")
        self.v = np.linalg.lstsq(self.w, w, rcond=None)[0].astype("float32")
        return self
    def predict(self, X):
        return (X.to_numpy().astype("float32") @ self.w) @ self.v
model = Net().fit(X[:200], df["y"][:200])"""

NOISY = """from sklearn.linear_model import LinearRegression
class Dropout:
    def __init__(self, model, source):
        self.model, self.source = model, source
    def predict(self, X):
        return self.model.predict(X) * self.source.binomial(1, 0.9, len(X))
model = Dropout(LinearRegression().fit(X[:200], df["y"][:200]), rng)"""


def cells(train: str, answer: str = "y_pred = model.predict(X[200:])") -> list[tuple[str | None, str]]:
    return [
        ("data", LOAD),
        ("feature", 'X = df[list("abcdefgh")]'),
        ("train", train),
        ("predict", answer),
    ]


def test_a_model_that_works_on_several_threads_needs_what_it_was_trained_with_and_no_more(tmp_path: Path) -> None:
    made = plan(cells(FOREST), tmp_path)
    assert made.fields == tuple("abcdefgh")
    assert made.target == ("y",)
    measure = made.cases["precision"]["answers"][""]
    assert measure["dtype"] == "float64"
    assert 0 <= measure["noise"] < 1e-10 < measure["spread"]


@pytest.mark.parametrize(
    "answer",
    [
        "y_pred = model.predict(X[200:])",
        "y_pred = model.predict(X[200:]).astype(float)",
        "y_pred = model.predict(X[200:]) * np.float64(1.1) + np.float64(0.3)",
        'y_pred = pd.DataFrame({"low": model.predict(X[200:]) - 1, "high": model.predict(X[200:]) + 1})',
    ],
)
def test_a_float32_is_compared_by_its_own_precision_whatever_it_becomes(answer: str, tmp_path: Path) -> None:
    made = plan(cells(FLOAT32, answer), tmp_path)
    assert {item["dtype"] for item in made.cases["precision"]["answers"].values()} == {"float32"}
    assert made.fields == tuple("abcdefgh")
    assert made.signature["batching"]


def test_a_model_that_draws_at_random_is_refused_by_what_it_does(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        plan(cells(NOISY), tmp_path)
    (found,) = refusal.value.diagnostics
    assert found.code == "F11"
    assert "Asked twice" in found.message


def test_answers_that_are_all_nought_are_compared_as_coarsely_as_the_other_rows_were_summed(tmp_path: Path) -> None:
    """Rows of a plane: the model gives each 1e-15 or so, another one when it is asked among others."""
    load = LOAD.replace(
        "y = (values", "values[200:, 7] = (values[200:, :7] @ np.array([2, -1, 3, 1, -2, 1, 2])) / 3\ny = (values"
    )
    train = """from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
model = make_pipeline(StandardScaler(), LinearRegression()).fit(X[:200], df["y"][:200])"""
    made = plan([("data", load), *cells(train)[1:]], tmp_path)
    assert max(map(abs, made.cases["expected"])) < 1e-12
    assert made.fields == tuple("abcdefgh")
    assert made.cases["precision"]["answers"][""]["spread"] > 1
