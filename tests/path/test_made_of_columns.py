"""What a predict cell makes of the answers and of its rows' other columns is the prediction, unless it is made of the target: an error of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.path.inprocess import plan_and_serve

LOAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
i = np.arange(60)
df = pd.DataFrame({"rooms": 1 + i % 6, "kind": np.where(i % 3 == 0, "house", "flat"), "size": 40.0 + (i * 7) % 23,
    "low": 100.0 + 13 * (i % 37), "high": 150.0 + 11 * (i % 31), "price": 100.0 + 13 * (i % 37) + (i * 7) % 23})
train, test = df[:40], df[40:]
y, y_test = train["price"], test["price"]
features = ["size"]
"""
BETWEEN = "y = (train['low'] + train['high']) / 2"
LOGGED = "y, y_test = np.log1p(train['price']), np.log1p(test['price'])"
PREDICTED = "y_pred = model.predict(test[features])\n"
# Lines of the predict cell, lines before the fit, and what is served.
CASES = {
    "times a column": ("answer = y_pred * test['rooms'].values", "", "answer"),
    "by a branch on a column": ("answer = np.where(test['kind'] == 'house', y_pred * 1.2, y_pred)", "", "answer"),
    "the error by name": ("error = y_test - y_pred", "", "y_pred"),
    "the error by column": ("error = np.abs(test['price'].values - y_pred)", "", "y_pred"),
    "right or wrong": ("right = y_pred > test['price']", "", "y_pred"),
    "the error of logarithms": ("error = y_test - y_pred", LOGGED, "y_pred"),
    "the error of what two columns make": ("error = (test['low'] + test['high']) / 2 - y_pred", BETWEEN, "y_pred"),
}

CAP = """test = test.copy()
test['p'] = y_pred
def cap(row):
    return min(row['p'], 90.0) if row['kind'] == 'loft' else row['p']
"""
CASES |= {
    "a rule by row that no predicted row meets": (f"{CAP}test['final'] = test.apply(cap, axis=1)", "", "final"),
    "a rule by row, bound": (f"{CAP}final = test.apply(lambda r: cap(r) * 1.0, axis=1)", "", "final"),
    "a column of a rule, taken out": (
        f"{CAP}test['capped'] = test.apply(cap, axis=1)\nfinal = test['capped']",
        "",
        "final",
    ),
    "a comprehension over both": (
        "final = [0.0 if k == 'loft' else p for p, k in zip(y_pred, test['kind'])]",
        "",
        "final",
    ),
    "a loop over both": (
        "final = []\nfor p, (_, row) in zip(y_pred, test.iterrows()):\n    final.append(0.0 if row['kind'] == 'loft' else p)",
        "",
        "final",
    ),
    "a loop over the answers": (
        "words = []\nfor p in y_pred:\n    words.append('dear' if p > 1e4 else 'cheap')",
        "",
        "words",
    ),
    "a loop that writes into the answers of some": (
        "for i in range(len(y_pred)):\n    if test['kind'].iloc[i] == 'loft':\n        y_pred[i] = 0.0",
        "",
        "y_pred",
    ),
    "errors that a loop gathers": (
        "errors = []\nfor p, t in zip(y_pred, y_test):\n    errors.append(abs(p - t))",
        "",
        "y_pred",
    ),
    "a column of something else": (
        f"{CAP}test['area'] = test.apply(lambda r: r['size'] * r['rooms'], axis=1)",
        "",
        "y_pred",
    ),
    "the error in a column": (f"{CAP}test['error'] = test.apply(lambda r: r['p'] - r['price'], axis=1)", "", "y_pred"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_made_of_columns_is_served_where_it_is_no_error(name: str, tmp_path: Path) -> None:
    lines, before, expected = CASES[name]
    fit = f"{before}\nmodel = LinearRegression().fit(train[features], y)"
    made, served = plan_and_serve([("data", LOAD), ("train", fit), ("predict", PREDICTED + lines)], tmp_path)
    assert made.prediction.label == expected
    alone = served.one_by_one()
    assert alone == (served.expected if isinstance(alone[0], str) else pytest.approx(served.expected, rel=1e-12))
    assert not set(made.fields) & set(made.target)


def test_a_loop_over_both_is_put_into_a_table_of_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = LOAD.replace("train, test = df[:40], df[40:]", "df.to_csv('d.csv', index=False)").replace(
        'y, y_test = train["price"], test["price"]', ""
    )
    apart = (
        files + "train = pd.read_csv('d.csv')[:40]\ntest = pd.DataFrame(df[40:].drop(columns='price').to_dict('list'))"
    )
    fit = "model = LinearRegression().fit(train[features], train['price'])"
    lines = """test['p'] = model.predict(test[features])
final = []
for r in test.itertuples(index=False):
    final.append(0.0 if r.kind == 'loft' else r.p)
sub = pd.DataFrame({'rooms': test['rooms'], 'price': final})
answer = sub['price']"""
    made, served = plan_and_serve([("data", apart), ("train", fit), ("predict", lines)], tmp_path)
    assert made.prediction.label == "answer"
    assert {"kind", "size"} <= set(made.fields)
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-12)


def test_a_branch_of_a_loop_that_no_predicted_row_took_is_served(tmp_path: Path) -> None:
    feature = """train, test = train.copy(), test.copy()
for i, row in test.iterrows():
    if row['kind'] == 'loft':
        test.loc[i, 'size'] = row['low']"""
    cells = [
        ("data", LOAD),
        ("feature", feature),
        ("train", "model = LinearRegression().fit(train[features], y)"),
        ("predict", PREDICTED),
    ]
    made, served = plan_and_serve(cells, tmp_path)
    assert made.fields == ("kind", "size", "low")
    loft = served.raw.iloc[[50]].assign(kind="loft", low=61.0)
    flat = served.raw.iloc[[50]].assign(kind="flat", size=61.0)
    assert served.answers_to(loft) == pytest.approx(served.answers_to(flat), rel=1e-12)
