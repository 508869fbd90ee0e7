"""The rows on which it is tried what matters: the raw table's own, and those that other tables of the notebook have under the same columns.

Train and test may be two files. What training's rows hold and the served table's lack (a category, a gap, an extreme) a request may hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .coverage import coverage

SHARED = 0.5
"""How much of the raw table's columns another one must have for its rows to be such rows: one that is looked up in has a key."""
MOST = 3_000
"""Rows that are taken of each other table."""
UNHELD = 24
"""Cells that are tried, of those of another table's column that the raw table's type can't hold."""


def gathered(raw: pd.DataFrame, others: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The raw table, and below it rows of other tables, in its columns and types.

    A cell that another table lacks, or that the column's type can't hold, is one of the raw table's own.
    """
    if not len(raw) or not raw.columns.is_unique:
        return raw
    rng = np.random.default_rng(5)
    parts = [_fitted(raw, other, rng) for other in others if _belongs(raw, other)]
    if not parts:
        return raw
    columns = {
        at: pd.concat([raw.iloc[:, at], *(part[at] for part in parts)], ignore_index=True) for at in range(raw.shape[1])
    }
    return pd.DataFrame(columns).set_axis(raw.columns, axis=1)


def unheld(raw: pd.DataFrame, others: Iterable[pd.DataFrame]) -> dict[Any, list[pd.Series[Any]]]:
    """By column, the cells of other tables that the raw table's type can't hold, each value once: a text beside numbers, a gap beside integers."""
    found: dict[Any, list[pd.Series[Any]]] = {}
    if not len(raw) or not raw.columns.is_unique:
        return found
    for other in others:
        for name in raw.columns if _belongs(raw, other) else ():
            if name in other.columns:
                cells = other[name].reset_index(drop=True)
                left = cells[~_cells(cells, raw[name].dtype)[1]]
                if len(left):
                    found.setdefault(name, []).append(left.iloc[coverage(left.to_frame(), UNHELD)])
    return found


def _belongs(raw: pd.DataFrame, other: pd.DataFrame) -> bool:
    if not len(other) or not other.columns.is_unique:
        return False
    shared = raw.columns.isin(other.columns).sum()
    return bool(shared >= max(1, SHARED * raw.shape[1]))


def _fitted(raw: pd.DataFrame, other: pd.DataFrame, rng: np.random.Generator) -> dict[int, pd.Series[Any]]:
    """Rows of another table as the raw table would hold them, by the column's position."""
    names = [name for name in raw.columns if name in other.columns]
    rows = other[names].reset_index(drop=True)
    rows = rows.iloc[coverage(rows, MOST)].reset_index(drop=True)
    found = {}
    for at, name in enumerate(raw.columns):
        own = raw.iloc[:, at]
        values = own.iloc[rng.integers(0, len(raw), len(rows))].reset_index(drop=True)
        if name in names:
            cells, held = _cells(rows[name], own.dtype)
            if held.any():
                values = values.copy()
                values.iloc[np.flatnonzero(held)] = cells.array
        found[at] = values
    return found


def _cells(column: pd.Series[Any], dtype: Any) -> tuple[pd.Series[Any], npt.NDArray[np.bool_]]:
    """The cells that a column of this type can hold, and which they are."""
    held = np.ones(len(column), dtype=bool)
    try:
        return column.astype(dtype), held
    except (TypeError, ValueError, OverflowError):
        pass
    if isinstance(dtype, np.dtype) and dtype.kind in "iu" and pd.api.types.is_numeric_dtype(column):
        held = (column.notna() & (column % 1 == 0)).to_numpy(dtype=bool)
        try:
            return column[held].astype(dtype), held
        except (TypeError, ValueError, OverflowError):
            pass
    return column.iloc[:0], np.zeros(len(column), dtype=bool)
