"""What a request's row has no part in does not stand in the way: training's tables in a loop, rows written by their labels, names out of a table of scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from nb2prod.errors import Refused
from tests.path.inprocess import plan_and_serve, serve

LOAD = """
import pandas as pd
from sklearn.linear_model import LinearRegression

sizes = [(i * 37) % 101 * 10.0 + 300 for i in range(60)]
df = pd.DataFrame({"size": sizes, "bath": [i % 4 for i in range(60)], "other": [i % 7 for i in range(60)]})
df["price"] = df["size"] * 120 + df["bath"] * 9000
"""
FIT = "model = LinearRegression().fit(X[:40], df['price'][:40])"
PREDICT = "p = model.predict(X[40:])"
FILES = """
train = pd.DataFrame({"size": sizes[:40], "bath": [i % 4 for i in range(40)], "price": [i * 1.0 for i in range(40)]})
test = pd.DataFrame({"size": sizes[40:], "bath": [i % 4 for i in range(20)]})
"""
LOOPS = {
    "masks": "for t in [train, test]:\n    t.loc[t['bath'] > 1, 'many'] = 1\n    t.loc[t['bath'] <= 1, 'many'] = 0",
    "with numbers": "data = [train, test]\nfor i, t in enumerate(data):\n    t.loc[t['bath'] > 1, 'many'] = 1\n    t.loc[t['bath'] <= 1, 'many'] = 0",
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_passes_by_the_table_that_a_request_has_no_row_of(name: str, tmp_path: Path) -> None:
    fit = "cols = ['size', 'many']\nmodel = LinearRegression().fit(train[cols], train['price'])"
    cells = [
        ("data", LOAD + FILES),
        ("feature", LOOPS[name]),
        ("train", fit),
        ("predict", "p = model.predict(test[cols])"),
    ]
    _, served = plan_and_serve(cells, tmp_path)
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-9)


WRITES = {
    "one cell": "df.loc[5, 'size'] = 333.0",
    "at": "df.at[5, 'size'] = 333.0",
    "some rows in a loop": "for i in [3, 7]:\n    df.loc[i, 'size'] = 333.0",
}


@pytest.mark.parametrize("name", WRITES)
def test_a_row_of_training_that_is_mended_by_hand_is_none_of_a_requests(name: str, tmp_path: Path) -> None:
    cells = [
        ("data", LOAD),
        ("feature", f"{WRITES[name]}\nX = df[['size', 'bath']]"),
        ("train", FIT),
        ("predict", PREDICT),
    ]
    _, served = plan_and_serve(cells, tmp_path)
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-9)
    assert "333" not in served.features


def test_a_predicted_row_that_is_mended_by_hand_is_refused(tmp_path: Path) -> None:
    feature = "df.loc[45, 'size'] = 333.0\nX = df[['size', 'bath']]"
    with pytest.raises(Refused):
        plan_and_serve([("data", LOAD), ("feature", feature), ("train", FIT), ("predict", PREDICT)], tmp_path)


SCORES = "scores = pd.DataFrame([5.0, 1.0, 9.0])\nscores['name'] = ['size', 'other', 'bath']\n"
NAMES = {
    "the best": f"{SCORES}cols = scores.nlargest(2, 0)['name'].tolist()\nX = df[cols]",
    "above a score": f"{SCORES}X = df[list(scores[scores[0] > 2]['name'])]",
    "as an array": f"{SCORES}X = df[scores.sort_values(0)['name'].values[1:]]",
    "in a loop": f"{SCORES}X = pd.DataFrame(index=df.index)\nfor c in scores.nlargest(2, 0)['name'].tolist():\n    X[c] = df[c] * 2",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_out_of_a_table_of_scores_are_kept_as_values(name: str, tmp_path: Path) -> None:
    served = serve([("data", LOAD), ("feature", NAMES[name]), ("train", FIT), ("predict", PREDICT)], tmp_path)
    assert served.one_by_one() == pytest.approx(served.expected, rel=1e-9)
