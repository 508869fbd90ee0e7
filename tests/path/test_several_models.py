"""Answers of several models, brought together: gathered in a list or a dict, or added up in a loop."""

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
LIST = "models = [LinearRegression().fit(X, df['y']), LinearRegression(fit_intercept=False).fit(X, df['y'])]"
DICT = (
    "models = {'one': LinearRegression().fit(X, df['y']), 'two': LinearRegression(fit_intercept=False).fit(X, df['y'])}"
)
CASES = {
    "a dict of answers": (DICT, "each = {n: m.predict(X) for n, m in models.items()}\np = np.mean(list(each.values()), axis=0)"),
    "a list of answers": (LIST, "each = []\nfor m in models:\n    each.append(m.predict(X))\np = np.mean(each, axis=0)"),
    "weights": (LIST, "p = 0\nfor m, w in zip(models, [0.3, 0.7]):\n    p = p + w * m.predict(X)"),
    "equal weights": (LIST, "p = 0\nfor m, w in zip(models, [0.5, 0.5]):\n    p += w * m.predict(X)"),
    "added up": (LIST, "p = 0\nfor m in models:\n    p += m.predict(X)\np /= len(models)"),
    "none at first": (LIST, "p = None\nfor m in models:\n    one = m.predict(X)\n    p = one if p is None else p + one"),
    "the first is another": (LIST, "for i, m in enumerate(models):\n    one = m.predict(X)\n    if i == 0:\n        p = one\n    else:\n        p = p + one"),
    "columns of an array": (LIST, "m = np.zeros((len(X), 2))\nfor i, one in enumerate(models):\n    m[:, i] = one.predict(X)\np = m.mean(axis=1)"),
    "rows of an array": (LIST, "m = np.empty((2, len(X)))\nfor i, one in enumerate(models):\n    m[i, :] = one.predict(X)\np = m.mean(axis=0)"),
    "an array of lists": (LIST, "m = np.array([one.predict(X) for one in models])\np = (m.sum(axis=0) > 0).astype(int)"),
    "a list made an array": (LIST, "each = []\nfor one in models:\n    each.append(one.predict(X))\nm = np.vstack(each)\np = m.mean(axis=0)"),
    "turned": (LIST, "m = np.array([one.predict(X) for one in models]).T\np = m.mean(axis=1)"),
    "columns of a table": (DICT, "out = pd.DataFrame()\nfor n, one in models.items():\n    out[n] = one.predict(X)\np = out.mean(axis=1)"),
    "columns written one by one": (LIST, "out = pd.DataFrame(index=X.index)\nout['u'] = models[0].predict(X)\nout['v'] = models[1].predict(X)\np = out.mean(axis=1)"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_all_of_them_are_asked(name: str, tmp_path: Path) -> None:
    train, predict = CASES[name]
    cells = [("data", LOAD), ("feature", "X = df[['a', 'b']]"), ("train", train), ("predict", predict)]
    served = serve(cells, tmp_path)
    assert served.answers(served.predicted) == served.expected
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-12)
    assert ".predict(" not in served.features
    assert (served.project / "predict.py").read_text().rstrip().endswith("return p")


def test_a_table_of_results_beside_the_target_is_no_prediction(tmp_path: Path) -> None:
    """The model's answer inside it is."""
    predict = "results = pd.DataFrame({'actual': df['y'], 'said': models[0].predict(X)})\nresults['off'] = results.said - results.actual\nresults.head()"
    cells = [("data", LOAD), ("feature", "X = df[['a', 'b']]"), ("train", LIST), ("predict", predict)]
    served = serve(cells, tmp_path)
    assert served.answers(served.predicted) == served.expected
    assert (served.project / "predict.py").read_text().rstrip().endswith("return captured.models[0].predict(X)")
