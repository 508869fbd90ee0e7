"""What functions and classes read of the notebook is kept as it was when the rows that count went through them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.path.inprocess import plan, serve

LOAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

i = np.arange(120)
df = pd.DataFrame({
    "age": np.where((i < 80) & (i % 5 == 0), np.nan, 20.0 + i % 31),
    "klass": 1 + i % 3,
    "fare": 5.0 + 3 * (i % 11),
    "price": 100.0 + 13 * (i % 37),
})
"""
SPLIT = "X = df[['age', 'fare', 'klass']]"
FIT = "model = LinearRegression().fit(X[:80], df['price'][:80])\nseen = X.loc[0, 'age']"
PREDICT = "p = model.predict(X[80:])"
IMPUTE = "def impute(r):\n    return a[int(r['klass']) - 1] if pd.isnull(r['age']) else r['age']"
APPLY = "df['age'] = df[['age', 'klass']].apply(impute, axis=1)"
LIST = "a = [38.0, 30.0, 25.0]"
CAPPED = "def capped(most):\n    return lambda v: 38.0 if pd.isnull(v) else min(v, most)"
LATER = "a = [9.0, 9.0, 9.0]"
# For each: the feature cell, and what comes after the prediction. Only training's rows lack an age.
CASES = {
    "a list bound anew": (f"{LIST}\n{IMPUTE}\n{APPLY}", LATER),
    "a list changed in its place": (f"{LIST}\n{IMPUTE}\n{APPLY}", "a[0] = 9.0"),
    "bound anew before it is defined": (f"{LATER}\n{IMPUTE}\n{LIST}\n{APPLY}", LATER),
    "a default": (
        f"{LIST}\n{IMPUTE.replace('(r)', '(r, a=a)')}\n{APPLY}",
        f"{LATER}\n{IMPUTE.replace('(r)', '(r, a=a)')}",
    ),
    "a default filled later": (
        f"a = []\n{IMPUTE.replace('(r)', '(r, a=a)')}\na += [38.0, 30.0, 25.0]\n{APPLY}",
        "a.clear()\na += [9.0] * 3",
    ),
    "a keyword's default": (f"{LIST}\n{IMPUTE.replace('(r)', '(r, *, a=a)')}\n{APPLY}", LATER),
    "a helper defined again": (
        f"{LIST}\ndef of(k):\n    return a[k - 1]\n{IMPUTE.replace('a[int(r[', 'of(int(r[').replace('- 1]', ')')}\n{APPLY}",
        "def of(k):\n    return 9.0",
    ),
    "the function defined again": (f"{LIST}\n{IMPUTE}\n{APPLY}", "def impute(r):\n    return 9.0"),
    "the function defined again before it is tagged": (
        f"{LIST}\ndef impute(r):\n    return 9.0\n{IMPUTE}\n{APPLY}",
        "def impute(r):\n    return 9.0",
    ),
    "a function made by another, of what it takes of the rows": (
        f"{CAPPED}\ncap = capped(df['age'].max() - 5)\ndf['age'] = df['age'].apply(cap)",
        "cap = capped(1.0)",
    ),
    "a lambda with a name": (
        f"{LIST}\nimpute = lambda r: a[int(r['klass']) - 1] if pd.isnull(r['age']) else r['age']\n{APPLY}",
        f"{LATER}\nimpute = lambda r: 9.0",
    ),
    "a lambda where it is used": (
        f"{LIST}\ndf['age'] = df.apply(lambda r: a[int(r['klass']) - 1] if pd.isnull(r['age']) else r['age'], axis=1)",
        LATER,
    ),
    "a lambda that calls": (f"{LIST}\n{IMPUTE}\ndf['age'] = df.apply(lambda r: impute(r), axis=1)", LATER),
    "a loop over the rows": (
        f"{LIST}\nages = []\nfor j in range(len(df)):\n    if pd.isnull(df['age'].iloc[j]):\n        ages.append(a[df['klass'].iloc[j] - 1])\n    else:\n        ages.append(df['age'].iloc[j])\ndf['age'] = ages",
        LATER,
    ),
    "a comprehension": (f"{LIST}\n{IMPUTE}\ndf['age'] = [impute(r) for _, r in df.iterrows()]", LATER),
    "another name of it": (
        f"{LIST}\n{IMPUTE}\nfill = impute\ndf['age'] = df.apply(fill, axis=1)",
        f"{LATER}\nfill = None",
    ),
    "made by another function": (
        f"def make(a):\n    {IMPUTE.replace(chr(10), chr(10) + '    ')}\n    return impute\n{LIST}\nfill = make(a)\ndf['age'] = df.apply(fill, axis=1)",
        f"{LATER}\ndef make(a):\n    return None",
    ),
    "a class of constants": (
        f"class Kept:\n    by_class = [38.0, 30.0, 25.0]\n{IMPUTE.replace('a[int', 'Kept.by_class[int')}\n{APPLY}",
        "class Kept:\n    by_class = [9.0] * 3",
    ),
    "an attribute set later": (
        f"class Kept:\n    by_class = [9.0] * 3\nKept.by_class = [38.0, 30.0, 25.0]\n{IMPUTE.replace('a[int', 'Kept.by_class[int')}\n{APPLY}",
        "Kept.by_class = [9.0] * 3",
    ),
    "an attribute of a list with a name": (
        f"{LIST}\nclass Kept:\n    by_class = a\n{IMPUTE.replace('a[int', 'Kept.by_class[int')}\n{APPLY}",
        LATER,
    ),
    "a static method": (
        f"{LIST}\nclass Tools:\n    @staticmethod\n    {IMPUTE.replace(chr(10), chr(10) + '    ')}\ndf['age'] = df.apply(Tools.impute, axis=1)",
        LATER,
    ),
    "a function in a dict": (
        f"{LIST}\n{IMPUTE}\nsteps = {{'age': impute}}\ndf['age'] = df.apply(steps['age'], axis=1)",
        LATER,
    ),
    "a function that has the table": (
        f"{LIST}\n{IMPUTE}\ndef prepare(t):\n    t = t.copy()\n    t['age'] = t.apply(impute, axis=1)\n    return t\ndf = prepare(df)",
        f"{LATER}\ndef impute(r):\n    return 9.0",
    ),
    "a function in a function that has the table": (
        f"{LIST}\ndef prepare(t):\n    {IMPUTE.replace(chr(10), chr(10) + '    ')}\n    t = t.copy()\n    t['age'] = t.apply(impute, axis=1)\n    return t\ndf = prepare(df)",
        LATER,
    ),
    "a local made of a global": (
        f"{LIST}\ndef prepare(t):\n    known = [v + 0 for v in a]\n    t = t.copy()\n    t['age'] = t['age'].fillna(t['klass'].map(lambda k: known[k - 1]))\n    return t\ndf = prepare(df)",
        LATER,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_later_change_does_not_reach_what_is_served(name: str, tmp_path: Path) -> None:
    feature, later = CASES[name]
    cells = [("data", LOAD), ("feature", f"{feature}\n{SPLIT}"), ("train", FIT), ("predict", PREDICT), (None, later)]
    served = serve(cells, tmp_path)
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-12)
    assert served.features_of([0, 3])["age"].tolist() == [38.0, 23.0]


def test_calls_before_the_model_was_fitted_anew_are_none_of_the_served_ones(tmp_path: Path) -> None:
    predict = "def price_of(fare, klass):\n    return model.predict([[fare, klass]])[0] * factor"
    fit = "model = LinearRegression().fit(df[['fare', 'klass']].to_numpy(), df['price'])\nfactor = 1.0"
    cells = [("data", LOAD), ("train", fit), ("predict", predict), (None, "price_of(20.0, 1)\nprice_of(21.0, 1)")]
    anew = "model = LinearRegression().fit(df[['fare', 'klass']].to_numpy(), df['price'] * 1000)\nfactor = 2.0"
    made = plan(
        [*cells, ("train", anew), (None, "price_of(30.0, 2)\nprice_of(31.0, 3)"), (None, "factor = 9.0")], tmp_path
    )
    assert made.prediction.function is not None
    assert [call.arguments["fare"] for call in made.prediction.function.calls] == [30.0, 31.0]
    assert made.fields == ("fare", "klass")
