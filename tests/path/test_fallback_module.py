"""The answer by rule becomes one module, and only rows that the service answers become examples."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from nb2prod.path.fallback import _module
from nb2prod.path.trial.process import accepted
from nb2prod.path.trial.project import Trial
from nb2prod.runtime.model import Model
from tests.runtime import projects

FEATURES = '''"""Feature code."""

import pandas as pd

from nb2prod_runtime import captured, rules


# cell 2
def predict(x):
    return x + 1


def features(rows):
    """Rows of `df` -> what the model is given."""
    df = rows
    return df
'''
PREDICT = '''"""Prediction."""

import math

from features import predict as notebook_predict


def predict(df):
    """What `features` returns -> the prediction, one for each row."""
    return notebook_predict(math.floor(df))
'''


def test_the_rules_become_one_module_that_keeps_the_notebooks_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = SimpleNamespace(captured=None, rules=None)
    monkeypatch.setitem(sys.modules, "nb2prod_runtime", stand_in)
    source = _module(SimpleNamespace(features=FEATURES, predict=PREDICT), "houses.ipynb")
    names: dict[str, object] = {}
    exec(source, names)
    assert names["fallback"](2.5) == 3
    assert source.count("# cell 2") == 1
    assert source.count("from nb2prod_runtime import") == 1


def test_only_rows_that_the_service_answers_are_accepted(tmp_path: Path) -> None:
    project = projects.write(tmp_path / "project")
    tried = Trial({}, projects.training(), None, [], None, Model.load(project))
    form = json.loads((project / "signature.json").read_text())
    rows = [projects.row(), projects.row(Fare=-1.0), projects.row(Age="x"), {}]
    assert accepted(tried, form, rows) == [True, False, False, False]
