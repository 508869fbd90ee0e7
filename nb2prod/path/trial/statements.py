"""Which of the served statements makes a feature, and which looks at other rows."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from nb2prod_runtime import captured, outputs
from nb2prod_runtime.equality import Tolerance, alike

from . import makers, suspects
from .coverage import coverage
from .project import Trial

MADE = 12


def suspect(trial: Trial, project: Path) -> None:
    """The statement that makes a row's features differ between the whole batch and a part of it."""
    tree = ast.parse((project / "features.py").read_text())
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "features")
    predicted = trial.frame(trial.predicted)
    rows = coverage(predicted, 80)
    whole = predicted.iloc[rows].reset_index(drop=True)
    agree = suspects.Agreement(outputs.per_row, lambda a, b: alike(a, b, Tolerance(1e-12)))
    for part in (list(range(0, len(rows), 2)), [0], [len(rows) - 1]):
        module = vars(sys.modules["features"])
        found = suspects.find(function, module, (whole, part), captured.request, agree)
        if found is not None:
            trial.answer["suspect"] = found
            return


def find_makers(trial: Trial) -> None:
    """The statement that makes each named feature."""
    tree = ast.parse((Path(trial.job["project"]) / "features.py").read_text())
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "features")
    predicted = trial.frame(trial.predicted)
    rows = predicted.iloc[coverage(predicted, MADE)].reset_index(drop=True)
    try:
        found = makers.find(function, vars(sys.modules["features"]), rows, captured.request())
    except Exception:
        found = {}  # some rows only run alone; an explanation is not worth more tries
    trial.answer["makers"] = [found.get(name) for name in trial.answer["names"] or ()]
