"""A line that looks at the rows beside a row is frozen only where a row alone does not get the notebook's answer through it as it stands."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.path.inprocess import plan_and_serve

LOAD = """
import io
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import LabelEncoder, StandardScaler, scale

train = pd.read_csv(io.StringIO(TRAINING))
test = pd.read_csv(io.StringIO(TESTED))
"""
PRICES = {"Oslo": 0, "Rome": 50000, "Bonn": 90000}
SIZES = [(i * 37) % 101 * 10.0 + 300 for i in range(40)]
TRAINING = "city,sqft,price\n" + "".join(
    f"{city},{size},{size * 100 + PRICES[city]}\n" for size, city in zip(SIZES, list(PRICES) * 14, strict=False)
)


def data(*cities: str) -> str:
    """The tables; these are the cities of the test rows."""
    tested = "city,sqft\n" + "".join(f"{cities[i % len(cities)]},{SIZES[i] + 5}\n" for i in range(12))
    return f"TRAINING = {TRAINING!r}\nTESTED = {tested!r}\n{LOAD}"


TRAIN = "model = LinearRegression().fit(X_train, train['price'])"
PREDICT = "y_pred = model.predict(X_test)"
DUMMIES = "X_train = pd.get_dummies(train.drop(columns='price'))\n"
# What is served as it is written: the lines for the test rows, and a row that only training has, with its right answer.
LIVE = {
    "dummies, the columns of training": f"{DUMMIES}X_test = pd.get_dummies(test).reindex(columns=X_train.columns, fill_value=0)",
    "dummies, aligned": f"{DUMMIES}X_test = pd.get_dummies(test)\nX_train, X_test = X_train.align(X_test, join='left', axis=1, fill_value=0)",
    "dummies, missing ones added": (
        f"{DUMMIES}X_test = pd.get_dummies(test)\nfor c in X_train.columns:\n    if c not in X_test.columns:\n        X_test[c] = 0\n"
        "X_test = X_test[X_train.columns]"
    ),
    "dummies in a function": (
        "def prepare(t):\n    return pd.get_dummies(t[['city', 'sqft']])\n"
        "X_train = prepare(train)\nX_test = prepare(test).reindex(columns=X_train.columns, fill_value=False)"
    ),
    "dummies, missing ones by their names": (
        f"{DUMMIES}X_test = pd.get_dummies(test)\nfor c in set(X_train.columns) - set(X_test.columns):\n    X_test[c] = 0\n"
        "X_test = X_test[X_train.columns]"
    ),
    "dummies of tables that were joined with one table": (
        'zones = pd.DataFrame({"city": ["Oslo", "Rome", "Bonn"], "zone": [1, 1, 1]})\n'
        'train, test = train.merge(zones, on="city"), test.merge(zones, on="city")\n'
        "X_train = pd.get_dummies(train[['city', 'sqft', 'zone']])\n"
        "X_test = pd.get_dummies(test[['city', 'sqft', 'zone']]).reindex(columns=X_train.columns, fill_value=0)"
    ),
}


@pytest.mark.parametrize("name", LIVE)
def test_a_value_that_only_training_has_is_answered_as_the_lines_answer_it(name: str, tmp_path: Path) -> None:
    cells = [("data", data("Oslo", "Rome")), ("feature", LIVE[name]), ("train", TRAIN), ("predict", PREDICT)]
    made, served = plan_and_serve(cells, tmp_path)
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-9)
    asked = pd.DataFrame({"city": ["Bonn", "Rome"], "sqft": [1000.0, 1000.0]})
    assert served.answers_to(asked) == pytest.approx([190000.0, 150000.0], rel=1e-9)
    assert [d for d in made.diagnostics if d.code == "T6"] == []


# What the path has from the predicted rows alone, and says so.
OF_TEST = {
    "a scaler": "s = StandardScaler()\nX_train = StandardScaler().fit_transform(train[['sqft']])\nX_test = s.fit_transform(test[['sqft']])",
    "a scaler, fitted before": (
        "s = StandardScaler()\nX_train = s.fit_transform(train[['sqft']])\ns.fit(test[['sqft']])\nX_test = s.transform(test[['sqft']])"
    ),
    "a scaler, in one line": (
        "X_train = train[['sqft']]\nX_test = StandardScaler().fit(test[['sqft']]).transform(test[['sqft']])"
    ),
    "a scaling function": "X_train = scale(train[['sqft']])\nX_test = scale(test[['sqft']])",
    "bins": (
        "X_train = pd.DataFrame({'q': pd.qcut(train['sqft'], 4, labels=False)})\n"
        "X_test = pd.DataFrame({'q': pd.qcut(test['sqft'], 4, labels=False)})"
    ),
    "a statistic": ("X_train = train[['sqft']] - train['sqft'].mean()\nX_test = test[['sqft']] - test['sqft'].mean()"),
}


@pytest.mark.parametrize("name", OF_TEST)
def test_what_was_found_in_the_predicted_rows_is_said(name: str, tmp_path: Path) -> None:
    cells = [("data", data("Oslo", "Rome")), ("feature", OF_TEST[name]), ("train", TRAIN), ("predict", PREDICT)]
    made, served = plan_and_serve(cells, tmp_path)
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-9, abs=1e-6)
    assert {d.code for d in made.diagnostics if d.severity == "warning"} == {"T6"}


def test_the_same_call_on_training_gives_its_state_where_that_reproduces_the_run(tmp_path: Path) -> None:
    feature = """
for t in [train, test]:
    t["code"] = LabelEncoder().fit_transform(t["city"])
X_train, X_test = train[["code", "sqft"]], test[["code", "sqft"]]
"""
    made, served = plan_and_serve(
        [("data", data("Rome", "Oslo", "Bonn")), ("feature", feature), ("train", TRAIN), ("predict", PREDICT)], tmp_path
    )
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-9)
    assert [d for d in made.diagnostics if d.code == "T6"] == []


def test_a_count_of_the_rows_at_hand_is_made_while_serving(tmp_path: Path) -> None:
    feature = """
X_train = pd.get_dummies(train[["sqft", "city"]], columns=["city"])
new = pd.DataFrame([{"city": "Oslo", "sqft": 880.0}, {"city": "Bonn", "sqft": 410.0}])
X_test = pd.get_dummies(new, columns=["city"])
for name in sorted(set(X_train.columns) - set(X_test.columns)):
    X_test[name] = [0] * len(X_test)
X_test = X_test[X_train.columns]
"""
    _, served = plan_and_serve(
        [("data", data("Oslo", "Rome")), ("feature", feature), ("train", TRAIN), ("predict", PREDICT)], tmp_path
    )
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-9)
    asked = pd.DataFrame({"city": ["Rome"], "sqft": [1000.0]})
    assert served.answers_to(asked) == pytest.approx([150000.0], rel=1e-9)
