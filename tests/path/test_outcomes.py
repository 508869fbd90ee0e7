"""What was true of the predicted rows: found on the run's own evidence, in the unit of the prediction, for rows that were not learned from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nb2prod.config import Options
from nb2prod.path import outcomes
from nb2prod.path.trial import truths
from nb2prod.runtime.model import Model
from tests.path import inprocess

LOAD = """import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import LabelEncoder
i = np.arange(80)
df = pd.DataFrame({"a": i % 7 + 0.5, "b": i % 5 * 1.0, "price": np.exp((i % 7 + i % 5) / 4.0), "two": (i % 7 > 3).astype(int),
                   "late": np.where(np.isin(i, [61, 70]), np.nan, i * 1.0)})
df["word"] = np.where(df["two"] == 1, "yes", "no")
X = df[["a", "b"]]"""
I = np.arange(80)  # noqa: E741
PRICE = np.exp((I % 7 + I % 5) / 4.0)
TWO = (I % 7 > 3).astype(int)
WORD = np.where(TWO == 1, "yes", "no")
HELD = list(range(60, 80))


def found(feature: str, train: str, predict: str, folder: Path) -> dict[str, Any]:
    """The outcomes of a notebook of these cells, recorded, planned and tried in this process."""
    cells = [(None, LOAD), ("feature", feature), ("train", train), ("predict", predict)]
    planner, _ = inprocess._planner(cells, folder, Options())
    job = planner.run().outcomes
    if job.reason is not None:
        return {"reason": job.reason}
    trial = planner.tries.last  # type: ignore[attr-defined]
    Model.load(Path(trial.job["project"]))
    return truths.outcomes(trial, job.to_json())


CASES = {
    "labels": ("", "m = LogisticRegression().fit(X[:60], df['two'][:60])", "p = m.predict(X[60:])", TWO),
    "a probability": ("", "m = LogisticRegression().fit(X[:60], df['two'][:60])", "p = m.predict_proba(X[60:])[:, 1]", TWO),
    "the probability of a word": ("", "m = LogisticRegression().fit(X[:60], df['word'][:60])", "p = m.predict_proba(X[60:])[:, 0]", 1 - TWO),
    "a threshold": ("", "m = LogisticRegression().fit(X[:60], df['two'][:60])", "p = m.predict_proba(X[60:])[:, 1] > 0.3", TWO == 1),
    "words of codes": ("le = LabelEncoder()\ny = le.fit_transform(df['word'])", "m = LogisticRegression().fit(X[:60], y[:60])", "p = le.inverse_transform(m.predict(X[60:]))", WORD),
    "numbers": ("", "m = LinearRegression().fit(X[:60], df['price'][:60])", "p = m.predict(X[60:])", PRICE),
    "a logarithm undone": ("y = np.log1p(df['price'])", "m = LinearRegression().fit(X[:60], y[:60])", "p = np.expm1(m.predict(X[60:]))", PRICE),
    "a logarithm left": ("y = np.log1p(df['price'])", "m = LinearRegression().fit(X[:60], y[:60])", "p = m.predict(X[60:])", np.log1p(PRICE)),
    "what is cut off": ("", "m = LinearRegression().fit(X[:60], df['price'][:60])", "p = m.predict(X[60:]).clip(0, 11.5)", PRICE),
    "a rule on the target": ("y = (df['price'] > 3).astype(int)", "m = LogisticRegression().fit(X[:60], y[:60])", "p = m.predict(X[60:])", (PRICE > 3).astype(int)),
    "two models": ("", "m = LinearRegression().fit(X[:60], df['price'][:60])\nn = LinearRegression().fit(X[:50], df['price'][:50])", "p = (m.predict(X[60:]) + n.predict(X[60:])) / 2", PRICE),
    "two outputs": ("", "m = LinearRegression().fit(X[:60], df[['a', 'price']][:60])", "p = m.predict(X[60:])", np.stack([I % 7 + 0.5, PRICE], 1)),
    "another model fitted to all": ("", "m = LinearRegression().fit(X[:60], df['price'][:60])\no = LinearRegression().fit(X, df['b'])", "p = m.predict(X[60:])", PRICE),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_truth_in_the_unit_of_the_prediction(name: str, tmp_path: Path) -> None:
    feature, train, predict, truth = CASES[name]
    made = found(feature, train, predict, tmp_path)
    assert made["reason"] is None
    assert (made["kind"], made["trained"], made["row_ids"]) == ("held out", 0, HELD)
    want = truth[60:].tolist()
    given = [list(v.values()) if isinstance(v, dict) else v for v in made["truth"]]
    assert given == (pytest.approx(np.array(want)) if isinstance(want[0], (float, list)) else want)
    assert len(set(made["keys"])) == 20


@pytest.mark.parametrize(
    ("more", "source"), [("", "model"), ("\nchances = m.predict_proba(X)", "run"), ("\nother = n.predict_proba(X)", "model")]
)  # fmt: skip
def test_probabilities_are_the_runs_own_or_asked_of_the_model(more: str, source: str, tmp_path: Path) -> None:
    train = "m = LogisticRegression().fit(X[:60], df['word'][:60])\nn = LogisticRegression(C=0.1).fit(X[:60], df['word'][:60])"
    made = found("", train + more, "p = m.predict(X[60:])", tmp_path)
    assert (made["classes"], made["scores_from"]) == (["no", "yes"], source)
    answers = [["no", "yes"][int(np.argmax(row))] for row in made["scores"]]
    assert answers == made["predictions"]


def test_rows_that_were_learned_from_are_left_out(tmp_path: Path) -> None:
    made = found("", "m = LinearRegression().fit(X[:60], df['price'][:60])", "p = m.predict(X)", tmp_path)
    assert (made["kind"], made["predicted"], made["trained"], made["row_ids"]) == ("held out", 80, 60, HELD)


def test_where_all_were_learned_from_it_says_so(tmp_path: Path) -> None:
    made = found("", "m = LinearRegression().fit(X, df['price'])", "p = m.predict(X[60:])", tmp_path)
    assert (made["kind"], made["trained"], made["row_ids"]) == ("training", 20, HELD)


def test_rows_without_a_target_are_left_out(tmp_path: Path) -> None:
    made = found("", "m = LinearRegression().fit(X[:60], df['late'][:60])", "p = m.predict(X[60:])", tmp_path)
    assert (made["missing"], made["row_ids"]) == (2, [row for row in HELD if row not in (61, 70)])


@pytest.mark.parametrize(
    ("train", "reason"),
    [
        ("m = LinearRegression()\nm.coef_, m.intercept_ = np.array([1.0, 2.0]), 0.5", outcomes.NOT_FITTED),
        ("m = LinearRegression().fit(X[:60], list(range(60)))", outcomes.NO_ROWS),
    ],
)
def test_what_the_run_does_not_show_is_not_guessed(train: str, reason: str, tmp_path: Path) -> None:
    assert found("", train, "p = m.predict(X[60:])", tmp_path) == {"reason": reason}


def test_the_same_row_has_the_same_key_in_another_order_of_columns() -> None:
    frame = pd.DataFrame({"a": [1, 1, 2], "b": ["x", "x", None]})
    keys = truths._keys(frame)
    assert keys == truths._keys(frame[["b", "a"]])
    assert len(set(keys)) == 3
