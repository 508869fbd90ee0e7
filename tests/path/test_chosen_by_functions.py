"""Functions of modules that choose rows of a table, by no name that anybody knows: found by running them on rows under other labels."""

from pathlib import Path

import pytest

from tests.path import inprocess

LOAD = """import sys

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, FOLDER)
import NAME as cleaning

i = np.arange(150)
df = pd.DataFrame({"a": i % 7, "b": (i * 3) % 11 + 0.5, "y": ((i * 5) % 9 > 4).astype(int)})
"""
CLEANING = """
def cheap(table, most):
    return table[table["b"] < most]

def dearest(table, count):
    return table.sort_values("b", ascending=False).head(count)

def below_mean(table):
    return table[table["b"] < table["b"].mean()]

def usual(table):
    return table.groupby("a")["b"].mean()
"""


def planned(folder: Path, feature: str) -> inprocess.ServingPath:
    # A module is known by its name for as long as the process lives.
    name = f"cleaning_{abs(hash(str(folder)))}"
    (folder / f"{name}.py").write_text(CLEANING)
    cells = [
        ("data", LOAD.replace("FOLDER", repr(str(folder))).replace("NAME", name)),
        ("feature", feature + "\nX = df[['a', 'b']]"),
        ("train", "model = LogisticRegression().fit(X[:60], df['y'][:60])"),
        ("predict", "pred = model.predict(X[60:])"),
    ]
    return inprocess.plan(cells, folder)


@pytest.mark.parametrize(
    ("feature", "klass"),
    [
        ("df = cleaning.cheap(df, 9)", "validity"),
        ("df = cleaning.cheap(most=9, table=df)", "validity"),
        ("df = cleaning.below_mean(df)", None),
        ("df = cleaning.dearest(df, 120)", None),
    ],
)
def test_its_verdict_is_a_rule_where_it_judges_each_row_by_itself(
    feature: str, klass: str | None, tmp_path: Path
) -> None:
    made = planned(tmp_path, feature)
    assert ("validity" in [f.klass for f in made.filters]) is bool(klass)
    if klass:
        kept, left = inprocess.refusals(made, tmp_path, [{"a": 1, "b": 2.5}, {"a": 1, "b": 10.5}])
        assert kept is None
        assert left is not None
        assert "cleaning.cheap" in left


def test_statistics_by_the_same_labels_are_no_rows(tmp_path: Path) -> None:
    made = planned(tmp_path, "usual = cleaning.usual(df)\ndf['b'] = df['b'] - df['a'].map(usual)")
    assert "usual" in {value.name for value in made.composition.captured}
