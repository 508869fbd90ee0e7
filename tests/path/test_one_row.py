"""The answer for one row: a look at the model, or the notebook's last word with a step of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from nb2prod.config import Options
from nb2prod.errors import Refused
from nb2prod.path.trial.process import documents
from tests.path.inprocess import _planner, plan, serve

LOAD = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

df = pd.DataFrame({"sqft": [(i * 37) % 101 * 10.0 + 300 for i in range(40)], "bath": [i % 4 + 1.0 for i in range(40)]})
df["price"] = (df["sqft"] * 120 + df["bath"] * 9000).round()
cols = ["sqft", "bath"]
train, test = df.iloc[:30], df.iloc[30:]
"""
FIT = "model = LinearRegression().fit(train[cols], np.log1p(train['price']))"
TABLE = "y_pred = model.predict(test[cols])"
ONE = "home = df.iloc[[2]][cols]\n"
STEPS = {
    "around the call": f"{ONE}price = np.expm1(model.predict(home))[0]\nprice",
    "on the plain value": f"{ONE}log_price = model.predict(home)[0]\nprice = np.expm1(log_price)",
    "shown alone": f"{ONE}log_price = model.predict(home)[0]\nnp.expm1(log_price)",
    "in two steps": f"{ONE}answer = model.predict(home)[0]\nanswer = np.expm1(answer)\nprice = answer * 1.0 + 5.0",
    "a label": f"{ONE}p = model.predict(home)[0]\nkind = 'dear' if p > 12 else 'cheap'",
    "rounded too": f"{ONE}price = round(np.expm1(model.predict(home)[0]), 2)",
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_that_only_the_one_row_shows_belongs_to_the_prediction(name: str, tmp_path: Path) -> None:
    served = serve([("data", LOAD), ("train", FIT), ("predict", TABLE), ("predict", STEPS[name])], tmp_path)
    assert served.predicted == [2]
    assert served.one_by_one() == served.expected
    others = served.answers([7]), served.answers([35])
    assert others[0] != others[1] or name == "a label"


LOOKS = {
    "the answer": f"{ONE}one = model.predict(home)[0]",
    "rounded": f"{ONE}one = round(model.predict(home)[0], 2)",
    "of another model": f"{ONE}other = LinearRegression(positive=True).fit(train[cols], train['price'])\none = other.predict(home)[0]",
}


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_at_one_row_leaves_the_tables_prediction(name: str, tmp_path: Path) -> None:
    served = serve([("data", LOAD), ("train", FIT), ("predict", TABLE), ("predict", LOOKS[name])], tmp_path)
    assert served.predicted == list(range(30, 40))


BY_HAND = """
def prepare_X(df):
    return df[["sqft", "bath"]].fillna(0).values
"""
WEIGHTS = """
X = np.column_stack([np.ones(len(df)), prepare_X(df)])
w = np.linalg.lstsq(X, np.log1p(df.price.values), rcond=None)[0]
"""


def test_a_rows_features_are_not_its_prediction(tmp_path: Path) -> None:
    predict = (
        "ad = df.iloc[2].to_dict()\nx = prepare_X(pd.DataFrame([ad]))[0]\nprice = np.expm1(w[0] + x.dot(w[1:]))\nprice"
    )
    served = serve([("data", LOAD), ("feature", BY_HAND), ("train", WEIGHTS), ("predict", predict)], tmp_path)
    assert served.predicted == [2]
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-12)
    assert served.answers([7]) != served.answers([8])


def test_a_row_taken_out_of_the_whole_table_asks_for_what_its_features_read(tmp_path: Path) -> None:
    """The model is numpy's, so the whole row, price and all, is what the prediction is made of."""
    fit = """def vector(row):
    return np.array([1.0, row["sqft"], row["bath"]])
w = np.linalg.lstsq(np.vstack([vector(r) for _, r in train.iterrows()]), train["price"], rcond=None)[0]"""
    made = plan(
        [("data", LOAD), ("train", fit), ("predict", "home = df.iloc[35]\nprice = float(vector(home) @ w)")], tmp_path
    )
    assert made.fields == ("sqft", "bath")
    assert not made.signature["batching"]


def test_features_alone_are_no_prediction(tmp_path: Path) -> None:
    predict = "ad = df.iloc[2].to_dict()\nx = prepare_X(pd.DataFrame([ad]))[0]"
    with pytest.raises(Refused):
        serve([("data", LOAD), ("feature", BY_HAND), ("train", WEIGHTS), ("predict", predict)], tmp_path)


@pytest.mark.parametrize(
    "predict", ["price = np.expm1(model.predict(home))[0]", "price = np.expm1(model.predict(home))"]
)
def test_what_is_told_of_predictions_is_told_of_one(predict: str, tmp_path: Path) -> None:
    """A plain number, or an array of one, is one answer in the training distributions of a Bento."""
    cells = [("data", LOAD), ("train", FIT), ("predict", f"{ONE}{predict}")]
    planner, _ = _planner(cells, tmp_path, Options())
    made = planner.run()
    told = documents(planner.tries.last, made.signature, "price", own_class=False)
    assert told["reference"]["prediction"]["count"] == 1
