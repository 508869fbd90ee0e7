"""Whether the prediction is on another scale than the target's: a model fitted to a logarithm, whose answer nobody takes back.

Decided by the run's own values: `y` as it was given to fit is held against the raw column of the same rows, and the prediction against both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .project import Trial, load

_Numbers = npt.NDArray[np.float64]
_FEW = 10
_EQUAL = 1e-6
_FUNCTIONS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("natural logarithm", "exp(x)", np.log),
    ("natural logarithm of 1 more (log1p)", "expm1(x)", np.log1p),
    ("logarithm to base 10", "10 ** x", np.log10),
    ("logarithm to base 2", "2 ** x", np.log2),
    ("square root", "x ** 2", np.sqrt),
    ("negative", "-x", np.negative),
)


def of_prediction(trial: Trial) -> dict[str, str] | None:
    """`column`, `function` and `inverse` where the prediction is on the scale that `y` was brought to; None where it is on the target's.

    `function` is empty where `y` is made of the column in another way than those known here by name.
    """
    fit = trial.job.get("fit")
    if not fit or "raw" in fit or len(trial.answer["target"]) != 1:
        return None
    column = str(trial.answer["target"][0])
    raw = _numbers(trial.raw.get(column))
    y = _numbers(load(fit["y"]))
    rows = np.load(fit["rows"])
    if raw is None or y is None or len(y) != len(rows):
        return None
    known = rows >= 0
    seen, fitted = raw[rows[known]], y[known]
    made = _made_by(seen, fitted)
    if made is None or not _on_scale_of(trial, raw, fitted):
        return None
    return {"column": column, "function": made[0], "inverse": made[1]}


def _made_by(seen: _Numbers, fitted: _Numbers) -> tuple[str, str] | None:
    """How `fitted` is made of `seen`, row by row; None where it is the same, or where there are too few rows to tell."""
    there = np.isfinite(seen) & np.isfinite(fitted)
    if there.sum() < _FEW or _close(seen[there], fitted[there]):
        return None
    with np.errstate(all="ignore"):
        for name, inverse, function in _FUNCTIONS:
            if _close(function(seen[there]), fitted[there]):
                return name, inverse
    return "", ""


def _on_scale_of(trial: Trial, raw: _Numbers, fitted: _Numbers) -> bool:
    """Whether the prediction lies where the fitted values lie, and not where the target's own do."""
    answers = _numbers(trial.expected)
    own = raw[trial.predicted] if answers is not None else raw
    own, fitted = own[np.isfinite(own)], fitted[np.isfinite(fitted)]
    if answers is None or len(own) < _FEW:
        return False
    middle = float(np.nanmedian(answers))
    return _away(middle, fitted) < _away(middle, own)


def _away(value: float, values: _Numbers) -> float:
    low, centre, high = np.quantile(values, [0.05, 0.5, 0.95])
    return abs(value - float(centre)) / (float(high - low) or 1.0)


def _close(one: _Numbers, other: _Numbers) -> bool:
    return bool(np.allclose(one, other, rtol=_EQUAL, atol=_EQUAL * float(np.nanstd(other) or 1.0)))


def _numbers(values: Any) -> _Numbers | None:
    """One number a row; None for what is none."""
    try:
        made = pd.Series(np.asarray(values).ravel() if not isinstance(values, pd.Series) else values.to_numpy())
        if made.empty or pd.api.types.is_bool_dtype(made) or not pd.api.types.is_numeric_dtype(made.infer_objects()):
            return None
        return made.to_numpy(dtype="float64")
    except (TypeError, ValueError):
        return None
