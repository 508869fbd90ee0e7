"""Rows that run across, rows that are drawn several times, and answers that no model's method gave: followed, tried and served."""

from pathlib import Path

import pytest

from nb2prod.errors import Refused
from tests.path import inprocess

LOAD = """import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import resample

i = np.arange(150)
df = pd.DataFrame({"a": i % 7, "b": (i * 3) % 11 + 0.5, "g": i % 4, "y": ((i * 5) % 9 > 4).astype(int)})
"""
MODELS = 'models = [DecisionTreeClassifier(max_depth=k, random_state=0).fit(X[:100], df["y"][:100]) for k in (1, 2, 3)]'
CASES = {
    "the most frequent of several models' votes": (
        'X = df[["a", "b"]]',
        MODELS,
        "votes = np.array([m.predict(X[100:]) for m in models])\npred = stats.mode(votes, axis=0).mode",
    ),
    "rows run across, and some are chosen": (
        'X = df[["a", "b"]].to_numpy().T',
        'model = LogisticRegression().fit(X[:, :100].T, df["y"][:100])',
        "pred = model.predict(X[:, 100:].T)",
    ),
    "a product with weights from the left": (
        'X = df[["a", "b"]].to_numpy().T',
        "weights = np.array([0.25, 0.5])",
        "pred = weights @ X[:, 100:]",
    ),
    "a matrix that numpy makes": (
        'X = df[["a", "b"]].to_numpy()',
        "weights = np.array([[0.25, 0.5], [1.0, -0.5]])",
        "pred = X[100:] @ weights",
    ),
    "the rarer class is drawn several times before the split": (
        (
            "many, few = df[df.y == 0], df[df.y == 1]\n"
            "both = pd.concat([many, resample(few, replace=True, n_samples=len(many), random_state=0)])\n"
            'X = both[["a", "b"]]'
        ),
        (
            "train, test, y_train, y_test = train_test_split(X, both.y, random_state=0)\n"
            "model = LogisticRegression().fit(train, y_train)"
        ),
        "pred = model.predict(test)",
    ),
}


def cells(case: tuple[str, str, str]) -> list[tuple[str | None, str]]:
    return [("data", LOAD), *zip(("feature", "train", "predict"), case, strict=True)]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_service_gives_the_notebooks_own_answers(case: tuple[str, str, str], tmp_path: Path) -> None:
    made, served = inprocess.plan_and_serve(cells(case), tmp_path)
    assert made.fields == ("a", "b")
    assert served.one_by_one() == served.expected


def test_a_table_with_one_row_for_many_is_called_that(tmp_path: Path) -> None:
    case = (
        'p = df.pivot_table(index="g", columns="y", values="b").reset_index()\np.columns = ["g", "no", "yes"]',
        'model = DecisionTreeClassifier().fit(p[["no", "yes"]], [0, 1, 0, 1])',
        'pred = model.predict(p[["no", "yes"]])',
    )
    with pytest.raises(Refused) as caught:
        inprocess.plan(cells(case), tmp_path)
    assert [d.code for d in caught.value.diagnostics] == ["N12"]
    assert "pivot_table" in caught.value.diagnostics[0].message


def test_a_matrix_of_features_alone_is_no_prediction(tmp_path: Path) -> None:
    case = ('X = df[["a", "b"]].to_numpy()', "weights = np.array([1.0, 2.0])", "scaled = X[100:] * weights")
    with pytest.raises(Refused) as caught:
        inprocess.plan(cells(case), tmp_path)
    assert [d.code for d in caught.value.diagnostics] == ["N5"]
