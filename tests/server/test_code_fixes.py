"""Fixes that write code: each of them gives a notebook in which the check no longer finds the problem, nor a new error."""

import json

import pytest

from nb2prod.config import Options
from nb2prod.forecast import forecast
from nb2prod.notebook import loads
from nb2prod.server.fixes import fixes
from tests.server.books import PREDICT, document

LOAD = """import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.DataFrame({"size": [float(n % 37) for n in range(120)], "rooms": [n % 5 for n in range(120)]})
df["town"] = ["abc"[n % 3] for n in range(120)]
df["since"] = pd.Timestamp("2020-03-01")
df["price"] = 3 * df["size"] + 10 * df["rooms"]"""
TRAIN = 'X = df[["extra", "rooms"]]\nmodel = LinearRegression().fit(X, df["price"])'


def checked(feature, tmp_path, train=TRAIN):
    text = json.dumps(document(("", LOAD), ("feature", feature), ("train", train), ("predict", PREDICT)))
    notebook = loads(text, tmp_path / "houses.ipynb")
    return notebook, forecast(notebook, Options()).diagnostics


CASES = [
    ("F5", 'df["extra"] = df["size"].rank()', "np.searchsorted(edges, df['size'])"),
    (
        "F5",
        'import numpy as np\ndf["extra"] = df["size"].rank(pct=True) * 2',
        "np.searchsorted(edges, df['size']) / 100 * 2",
    ),
    ("F6", 'df["extra"] = df["size"].ffill()', "df['size'].fillna(df['size'].median())"),
    ("F6", 'df["extra"] = df["size"].interpolate() + 1', "df['size'].fillna(df['size'].median()) + 1"),
    ("F11", 'df["extra"] = (pd.Timestamp.now() - df["since"]).dt.days', 'pd.Timestamp("2'),
    ("F11", 'from datetime import datetime\ndf["extra"] = (datetime.now() - df["since"]).dt.days', "(datetime(2"),
    ("F11", 'df["extra"] = df["town"].map(lambda name: hash(name) % 7)', "zlib.crc32(str(name).encode()) % 7"),
    ("F17", 'df["extra"] = df["town"].map({"a": 1, "b": 2, "c": 3})', '.map({"a": 1, "b": 2, "c": 3}).fillna(-1)'),
]


@pytest.mark.parametrize(("code", "feature", "written"), CASES)
def test_a_fix_gives_a_notebook_that_checks_clean(tmp_path, code, feature, written):
    notebook, found = checked(feature, tmp_path)
    (item,) = [item for item in found if item.code == code]
    fix = fixes(item, notebook)[0]
    assert written in fix.source
    _, after = checked(fix.source, tmp_path)
    assert [item for item in after if item.code == code and item.severity != "info"] == []
    assert [item for item in after if item.severity == "error"] == []


@pytest.mark.parametrize(("code", "feature", "written"), CASES)
def test_a_fixed_cell_runs(tmp_path, code, feature, written):
    notebook, found = checked(feature, tmp_path)
    (item,) = [item for item in found if item.code == code]
    names = {}
    exec(f"{LOAD}\n{fixes(item, notebook)[0].source}\n{TRAIN}", names)
    assert not names["df"]["extra"].isna().any()


def test_texts_get_a_text(tmp_path):
    notebook, found = checked(
        'df["kind"] = df["town"].map({"a": "city", "b": "village"})\ndf["extra"] = df["kind"].str.len()', tmp_path
    )
    (item,) = [item for item in found if item.code == "F17"]
    assert fixes(item, notebook)[0].source.startswith(
        'df["kind"] = df["town"].map({"a": "city", "b": "village"}).fillna("other")'
    )


def test_names_from_a_set_are_sorted_before_they_are_used(tmp_path):
    train = 'names = {"extra", "rooms"}\nX = df[list(names)]\nmodel = LinearRegression().fit(X, df["price"])'
    notebook, found = checked('df["extra"] = df["size"]', tmp_path, train)
    (item,) = [item for item in found if item.code == "P3"]
    fix = fixes(item, notebook)[0]
    assert fix.source.splitlines()[1] == "names = sorted(names)"
    _, after = checked('df["extra"] = df["size"]', tmp_path, fix.source)
    assert [item for item in after if item.code == "P3" or item.severity == "error"] == []


def test_a_chained_store_becomes_one_step_that_checks_clean(tmp_path):
    notebook, found = checked('df["extra"] = df["size"]\ndf["extra"][df["extra"] > 9] = 9', tmp_path)
    (item,) = [item for item in found if item.code == "F16"]
    _, after = checked(fixes(item, notebook)[0].source, tmp_path)
    assert [item for item in after if item.code == "F16" or item.severity == "error"] == []


@pytest.mark.parametrize(
    "feature",
    [
        'df["extra"] = df.groupby("town")["size"].rank()',
        'df["extra"] = df["size"].rank(ascending=False)',
        'df["extra"] = df["size"].rank() + df["rooms"].rank()',
        'df["extra"] = df["size"].shift(1)',
        'df["extra"] = df.groupby("town")["size"].ffill()',
    ],
)
def test_what_its_author_alone_can_tell_has_no_fix(tmp_path, feature):
    notebook, found = checked(feature, tmp_path)
    errors = [item for item in found if item.severity == "error"]
    assert errors
    assert all(fixes(item, notebook) == () for item in errors)
