"""Rows put together of several: about half of the values of each are others of their columns, so that what goes with what is met that no row has."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from .column_values import ColumnValues
from .experiment import Asked, Path, changed

_ROWS, _VALUES = 3, 12
"""At least so many rows, each answered before, show whether the code fails on a kind of value, and so many values of a kind are tried at most."""


def mixed(
    path: Path, base: Asked, values: Sequence[ColumnValues], found: Container[int], count: int, rng: np.random.Generator
) -> pd.DataFrame:
    """So many rows, each one of `base` with other values in about half of its columns.

    Args:
        path: what is asked.
        base: rows that the code does not fail on.
        values: what each column may hold, by position.
        found: the columns that are known to matter; of the others only what the raw table holds is taken.
        count: how many rows are wanted.
        rng: draws them.
    """
    allowed = [np.ones_like(one.own) if at in found else one.own.copy() for at, one in enumerate(values)]
    _leave_out(path, base, values, allowed, rng)
    rows = base.frame.iloc[rng.integers(0, len(base.frame), count)].reset_index(drop=True)
    new = {}
    for column, one in enumerate(values):
        at = np.flatnonzero(rng.random(count) < 0.5)
        if len(at):
            new[column] = (at.tolist(), one.series.array.take(one.turns(len(at), rng, allowed[column])))
    return changed(rows, new)


def _leave_out(
    path: Path,
    base: Asked,
    values: Sequence[ColumnValues],
    allowed: Sequence[npt.NDArray[np.bool_]],
    rng: np.random.Generator,
) -> None:
    """Allow no more what the code fails on by itself: a column's missing value, or values that nobody had.

    A row that fails says nothing of which columns matter, and takes a run of its own. What the raw table holds is tried all the same.
    """
    kinds: list[tuple[int, npt.NDArray[np.bool_], npt.NDArray[np.int64]]] = []
    for column, one in enumerate(values):
        missing = one.series.isna().to_numpy(dtype=bool)
        for kind in (missing, ~one.own & ~missing):
            tried = rng.permutation(np.flatnonzero(kind & allowed[column]))[:_VALUES]
            if len(tried) and (allowed[column] & ~kind).any():
                kinds.append((column, kind, np.resize(tried, max(_ROWS, len(tried)))))
    if not kinds:
        return
    starts = np.cumsum([0, *(len(turns) for _, _, turns in kinds)])
    rows = base.frame.iloc[rng.integers(0, len(base.frame), starts[-1])].reset_index(drop=True)
    new: dict[int, tuple[list[int], list[int]]] = {}
    for (column, _, turns), start in zip(kinds, starts, strict=False):
        at, taken = new.setdefault(column, ([], []))
        at.extend(range(start, start + len(turns)))
        taken.extend(turns)
    arrays = {column: (at, values[column].series.array.take(np.array(turns))) for column, (at, turns) in new.items()}
    codes = path.ask(changed(rows, arrays)).run.codes
    for (column, kind, turns), start in zip(kinds, starts, strict=False):
        failed = np.array([code == "row_failed" for code in codes[start : start + len(turns)]])
        allowed[column][kind if failed.all() else _single(turns, failed)] = False


def _single(turns: npt.NDArray[np.int64], failed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """The values that failed whenever they were tried."""
    return np.setdiff1d(turns[failed], turns[~failed])
