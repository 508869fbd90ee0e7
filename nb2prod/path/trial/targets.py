"""Which raw column decides the `y` that a model was fitted to, found by comparing values row by row.

A part of the trial, run in the kernel's own Python.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Ranking = list[list[tuple[int, Any]]]
"""For each output of `y`, the columns that decide it, each with how well (see `_decides`)."""


def ranking(raw: pd.DataFrame, rows: npt.NDArray[np.int64], y: Any) -> Ranking:
    """How well each column decides the outputs of `y`, which belongs to `rows` (-1: to none) of `raw`."""
    known = rows >= 0
    return [
        _of_one(raw, rows[known][:4000], output[known][:4000]) for output in _outputs(y) if len(output) == len(rows)
    ]


def deciding(ranked: Ranking, fields: Collection[Any]) -> dict[Any, str]:
    """Column -> how it decides an output ("equal", "one to one", "in steps"). Of columns that decide equally well, one that is no field is taken."""
    found: dict[Any, str] = {}
    for output in ranked:
        best = max((score for score, _ in output), default=0)
        chosen = [column for score, column in output if score == best]
        if chosen:
            column = next((c for c in chosen if c not in fields), chosen[0])
            found[column] = {3: "equal", 2: "one to one", 1: "in steps"}[best]
    return found


def _of_one(raw: pd.DataFrame, rows: npt.NDArray[np.int64], y: npt.NDArray[Any]) -> list[tuple[int, Any]]:
    scores = ((_decides(raw.iloc[rows, position], y), column) for position, column in enumerate(raw.columns))
    return [(score, column) for score, column in scores if score]


def _outputs(y: Any) -> list[npt.NDArray[Any]]:
    """What was fitted to, one array an output."""
    values = np.asarray(y)
    return [values] if values.ndim == 1 else [values[:, i] for i in range(values.shape[1])] if values.ndim == 2 else []


def _decides(column: pd.Series[Any], y: npt.NDArray[Any]) -> int:
    """3: the column is y; 2: each of its values goes with one of y's and back; 1: y is a step function of it; 0: none of these."""
    values = pd.Series(column.to_numpy())
    other = pd.Series(y)
    if values.nunique(dropna=False) < 2:
        return 0
    try:
        if (values.isna() == other.isna()).all() and (values.dropna().to_numpy() == other.dropna().to_numpy()).all():
            return 3
        pairs = pd.DataFrame({"c": values, "y": other}).dropna()
        if len(pairs) < 0.5 * len(values):
            return 0
        per_value = pairs.groupby("c", observed=True)["y"].nunique()
        if per_value.max() != 1:
            return 0
        distinct = pairs["c"].nunique()
        per_y = pairs.groupby("y", observed=True)["c"].nunique()
        if per_y.max() == 1:
            numeric = pd.api.types.is_numeric_dtype(pairs["c"]) and pd.api.types.is_numeric_dtype(pairs["y"])
            if distinct <= 50 and distinct < len(pairs) / 2:
                return 2
            return 2 if numeric and _monotone(pairs) else 0
        if pd.api.types.is_numeric_dtype(pairs["c"]) and distinct > 2 and _monotone(pairs):
            return 1
        return 1 if distinct <= 20 and distinct < len(pairs) / 4 else 0
    except (TypeError, ValueError):
        return 0


def _monotone(pairs: pd.DataFrame) -> bool:
    codes = pd.Series(pd.factorize(pairs["y"], sort=True)[0], index=pairs.index)
    ordered = codes[pairs["c"].argsort(kind="stable").map(lambda i: pairs.index[i])].to_numpy()
    steps = np.diff(ordered)
    return bool((steps >= 0).all() or (steps <= 0).all())
