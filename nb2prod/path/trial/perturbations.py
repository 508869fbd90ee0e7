"""Ways to change a column, to see whether it matters. Each takes the raw column, the column of the rows tried, and a generator.

A part of the trial, run in the kernel's own Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def permuted(raw: pd.Series[Any], column: pd.Series[Any], rng: np.random.Generator) -> Any:
    """Other rows' values."""
    drawn = raw.iloc[rng.permutation(len(raw))[: len(column)]]
    if len(drawn) < len(column):
        drawn = column.iloc[rng.permutation(len(column))]
    return drawn.set_axis(column.index)


def nulled(raw: pd.Series[Any], column: pd.Series[Any], rng: np.random.Generator) -> Any:
    """No value at all."""
    blank = column.copy()
    if blank.dtype.kind in "iub" if isinstance(blank.dtype, np.dtype) else False:
        blank = blank.astype("float64")
    blank.iloc[:] = None
    return blank


def constant(raw: pd.Series[Any], column: pd.Series[Any], rng: np.random.Generator) -> Any:
    """One value for every row."""
    seen = raw.dropna()
    return _filled(column, seen.iloc[0] if len(seen) else None)


def other(raw: pd.Series[Any], column: pd.Series[Any], rng: np.random.Generator) -> Any:
    """Another constant: the largest value, or the rarest category."""
    seen = raw.dropna()
    if seen.empty:
        return column
    if pd.api.types.is_numeric_dtype(seen) or pd.api.types.is_datetime64_any_dtype(seen):
        return _filled(column, seen.max())
    return _filled(column, seen.iloc[-1])


def _filled(column: pd.Series[Any], value: Any) -> Any:
    made = pd.Series([value] * len(column), index=column.index, name=column.name)
    try:
        return made.astype(column.dtype)
    except (TypeError, ValueError):
        return made
