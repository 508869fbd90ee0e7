"""Which rows the model that was asked had been fitted to: told by the object, through searches, pipelines, boosters and refits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recording.inprocess import run

PREAMBLE = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, SGDClassifier, LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.tree import DecisionTreeClassifier
df = pd.DataFrame({"a": np.arange(40.0) % 7, "b": np.arange(40.0) % 5, "y": np.arange(40) % 2})
X, y = df[["a", "b"]], df["y"]
"""
HEAD, TAIL = list(range(30)), list(range(30, 40))


@pytest.mark.parametrize(
    ("program", "learned"),
    [
        ("model = LogisticRegression().fit(X[:30], y[:30])", HEAD),
        ("model = LogisticRegression()\nmodel.fit(X[:30], y=y[:30])\nDecisionTreeClassifier().fit(X, y)", HEAD),
        ("model = GridSearchCV(LogisticRegression(), {'C': [1, 2]}, cv=2).fit(X[:30], y[:30])", HEAD),
        ("found = GridSearchCV(LogisticRegression(), {'C': [1, 2]}, cv=2).fit(X[:30], y[:30])\nmodel = found.best_estimator_", HEAD),
        ("model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:30], y[:30])", HEAD),
        ("pipe = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[:30], y[:30])\nmodel = pipe[-1]", HEAD),
        ("inner = LogisticRegression().fit(X[:30], y[:30])\nmodel = make_pipeline(inner)", HEAD),
        ("model = LogisticRegression()\nfor fit, held in KFold(4).split(X):\n    model.fit(X.iloc[fit], y.iloc[fit])", HEAD),
        ("model = LogisticRegression()\nmodel.fit(X, y)\nmodel.fit(X[:30], y[:30])", HEAD),
        ("model = SGDClassifier()\nmodel.partial_fit(X[:20], y[:20], classes=[0, 1])\nmodel.partial_fit(X[20:30], y[20:30])", HEAD),
        ("def train(X, y):\n    m = LogisticRegression()\n    m.fit(X, y)\n    return m\nmodel = train(X[:30], y[:30])", HEAD),
        ("model = LogisticRegression().fit(X[:30], y[:30].tolist())", HEAD),
        ("import lightgbm as lgb\nmodel = lgb.train({'verbose': -1}, lgb.Dataset(X[:30], y[:30]), 2)", HEAD),
        ("import xgboost as xgb\nmodel = xgb.train({}, xgb.DMatrix(X[:30], y[:30]), 2)", HEAD),
        ("import statsmodels.api as sm\nmodel = sm.OLS(y[:30], X[:30]).fit()", HEAD),
        ("model = LogisticRegression()\nmodel.coef_, model.intercept_, model.classes_ = np.ones((1, 2)), np.ones(1), np.array([0, 1])", []),
    ],
)  # fmt: skip
def test_the_rows_that_the_asked_model_learned_from(program: str, learned: list[int], tmp_path: Path) -> None:
    ask = "import xgboost as xgb\np = model.predict(xgb.DMatrix(X[30:]) if isinstance(model, xgb.Booster) else X[30:])"
    ran = run(f"{program}\n{ask}", tmp_path, PREAMBLE)
    (event,) = ran.events("predict")[-1:]
    found: set[int] = set()
    for number in event["trainings"]:
        for serial in ran.recorder.fitted.trainings[number]["rows"]:
            found |= {int(row) for row in ran.recorder.lineages[serial].tables[0]}
    assert sorted(found) == learned


def test_a_set_to_stop_early_by_stands_beside_what_is_learned_from(tmp_path: Path) -> None:
    program = (
        "import lightgbm as lgb\nmodel = lgb.LGBMClassifier(n_estimators=2, verbose=-1)\n"
        "model.fit(X[:30], y[:30], eval_set=[(X[30:], y[30:])])\np = model.predict(X[30:])"
    )
    ran = run(program, tmp_path, PREAMBLE)
    (number,) = ran.events("predict")[-1]["trainings"]
    made = ran.recorder.fitted.trainings[number]
    rows = {
        kind: {int(row) for serial in made[kind] for row in ran.recorder.lineages[serial].tables[0]} for kind in made
    }
    assert rows == {"rows": set(HEAD), "beside": set(TAIL)}


def test_two_models_alike_have_each_their_own_number(tmp_path: Path) -> None:
    program = (
        "one, other = (LogisticRegression().fit(X[:30], y[:30]) for _ in range(2))\n"
        "p = one.predict(X[30:])\nq = other.predict_proba(X[30:])\nr = one.predict_proba(X[30:])"
    )
    numbers = [event["instance"] for event in run(program, tmp_path, PREAMBLE).events("predict")]
    assert numbers[0] == numbers[2] != numbers[1]
