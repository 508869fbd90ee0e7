"""A prediction that later statements of its cell change in its place is served as it was in the end."""

from pathlib import Path

import pytest

from nb2prod.runtime import outputs
from tests.path.inprocess import serve

LOAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

rng = np.random.default_rng(0)
df = pd.DataFrame({"a": rng.integers(0, 9, 40) * 1.0, "b": rng.integers(0, 9, 40) * 1.0})
df["y"] = (df.a > df.b) * 1.0
df["z"] = df.a * 3
"""
TRAIN = """
X = df[["a", "b"]]
model = LinearRegression().fit(X, df["y"])
both = LinearRegression().fit(X, df[["y", "z"]])
"""
CASES = {
    "by masks": ("p = model.predict(X)\np[p > 0.5] = 1\np[p <= 0.5] = 0", "p"),
    "row by row": (
        "p = model.predict(X)\nfor i in range(len(p)):\n    if p[i] > 0.5:\n        p[i] = 1\n    else:\n        p[i] = 0",
        "p",
    ),
    "by a function of numpy": ("p = model.predict(X)\nnp.clip(p, 0, 1, out=p)", "p"),
    "at labels": ("p = pd.Series(model.predict(X))\np.loc[p < 0] = 0\np.round(2)", "p"),
    "where other rows say so": ("p = model.predict(X)\np[X['a'] > 5] = 2.0", "p"),
    "by a function of the notebook": (
        "def positive(values):\n    values[values < 0] = 0\n\np = model.predict(X)\npositive(p)",
        "p",
    ),
    "a column of several outputs": (
        "out = pd.DataFrame(both.predict(X), columns=['u', 'v'])\nout['t'] = out.sum(axis=1)\nout.head()",
        "out",
    ),
    "columns in a loop": (
        "out = pd.DataFrame(both.predict(X), columns=['u', 'v'])\nfor c in ['u', 'v']:\n    out[c] = out[c].clip(lower=0)",
        "out",
    ),
    "a label beside it": (
        "out = pd.DataFrame({'p': model.predict(X)})\nout['label'] = np.where(out['p'] > 0.5, 'yes', 'no')\nout",
        "out",
    ),
    "the column again": ("df['p'] = model.predict(X)\ndf['p'] = np.exp(df['p'])\ndf.head()", "df['p']"),
    "a column made of it": (
        "df['p'] = model.predict(X)\ndf['label'] = np.where(df['p'] > 0.5, 'yes', 'no')",
        "df['label']",
    ),
    "a column that it was copied to": (
        "p = model.predict(X)\ndf['p'] = p\ndf['label'] = (df['p'] > 0.5).map({True: 'yes', False: 'no'})",
        "df['label']",
    ),
    "some rows of its column": (
        "df['p'] = model.predict(X)\ndf.loc[df['p'] < 0.5, 'p'] = 0\ndf.loc[df['a'] > 7, 'p'] = 2",
        "df['p']",
    ),
    "some rows of its column, and then all": (
        "df['p'] = model.predict(X)\ndf.loc[df['p'] < 0.5, 'p'] = 0\ndf['p'] = df['p'] * 2",
        "df['p']",
    ),
    "beside the table that was predicted on": (
        "df['p'] = model.predict(df[['a', 'b']])\ndf['band'] = pd.cut(df['p'], [-9, 0.3, 9], labels=['low', 'high'])",
        "df['band']",
    ),
    "with its index": (
        "out = pd.DataFrame(both.predict(df[['a', 'b']]), columns=['u', 'v'], index=df.index)\nout['t'] = out.u + out.v",
        "out",
    ),
    "anew where the given rows say so": ("p = model.predict(X)\nlow = X['a'] < 3\np = np.where(low, 0, p)", "p"),
    "by what was asked of the rows before": ("low = X['a'] < 3\np = model.predict(X)\np = np.where(low, 0, p)", "p"),
    "under a name of its own": ("p = model.predict(X)\nfinal = np.where(X['a'] < 3, 0, p)", "final"),
    "in a function that reads the rows by name": (
        "def asked():\n    return model.predict(X)\n\np = np.clip(asked(), 0, 1)",
        "p",
    ),
    "not a residual": ("truth = df['y'].to_numpy()\np = model.predict(X)\nerror = truth - p", "p"),
    "not a table beside the truth": (
        "truth = df['y'].to_numpy()\np = model.predict(X)\nout = pd.DataFrame({'y': truth, 'p': p})",
        "p",
    ),
    "not a table beside what was given": ("p = model.predict(X)\nout = pd.DataFrame({'a': X['a'], 'p': p})", "p"),
    "rules by hand in a column": ("df['p'] = df['a'].apply(lambda v: 'hi' if v > 4 else 'lo')\ndf.head()", "df['p']"),
    "not its error": ("df['p'] = model.predict(X)\ndf['error'] = df['p'] - df['y']", "df['p']"),
    "not a table of results": (
        "out = pd.DataFrame({'p': model.predict(X)})\nout['y'] = df['y']\nout['error'] = out.p - out.y",
        "out[['p']]",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_served_as_it_was_in_the_end(case: str, tmp_path: Path) -> None:
    source, answer = CASES[case]
    names: dict[str, object] = {}
    exec(f"{LOAD}\n{TRAIN}\n{source}", names)
    wanted = outputs.per_row(eval(answer, names), 40)
    served = serve([("data", LOAD), ("train", TRAIN), ("predict", source)], tmp_path)
    assert served.expected == wanted
    assert served.answers(served.predicted) == wanted


def test_the_table_beside_the_features_is_not_the_features(tmp_path: Path) -> None:
    cells = [("data", LOAD), ("train", TRAIN), ("predict", CASES["beside the table that was predicted on"][0])]
    served = serve(cells, tmp_path)
    assert "return df[['a', 'b']], df\n" in served.features
    assert "def predict(features, df):" in (served.project / "predict.py").read_text()


def test_what_another_cell_does_to_it_later_is_not_the_prediction(tmp_path: Path) -> None:
    cells = [("data", LOAD), ("train", TRAIN), ("predict", "p = model.predict(X)"), (None, "p[:] = 0")]
    served = serve(cells, tmp_path)
    assert any(served.expected)
    assert served.answers(served.predicted) == served.expected
