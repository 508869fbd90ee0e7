"""What becomes of the notebook's choices of rows while serving.

Training splits, samples, sorts and filters rows; a request's rows are all wanted, in their order. The generated code says so where
the notebook chose: ``df[rules.every]`` stands for a choice that held the predicted rows, ``rules.no_row(df)`` for training's side, and
``rules.validity(...)`` keeps a filter as a rule that a request's row must satisfy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import polars_rows

every = slice(None)
"""The key of all rows, in place of a choice among training's."""

polars_table = polars_rows.table


class RowsRefused(Exception):
    """A validity rule of the notebook leaves rows out.

    Attributes: `rule` (its number in the plan), `positions` of the refused rows among those given, `message` for the caller.
    """

    def __init__(self, rule: str, positions: Sequence[int], message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.positions = tuple(positions)
        self.message = message


class RuleUnclear(Exception):
    """Rows were left out, but which of several can't be told: they must be asked one by one."""


def validity(rule: str, rows: Any, kept: Any) -> Any:
    """Return `rows` if the notebook's own filter keeps them all; raise `RowsRefused` with the rows it leaves out.

    Args:
        rule: the filter's condition and place, for the caller.
        rows: all rows, before the filter (frame, Series, array or list).
        kept: what the notebook's filter made of them.
    """
    total, left = len_of(rows), len_of(kept)
    if left == total:
        return rows
    if total == 1:
        raise RowsRefused(rule, (0,), f"the notebook leaves such rows out: {rule}")
    index = getattr(rows, "index", None)
    if isinstance(rows, (pd.DataFrame, pd.Series)) and isinstance(index, pd.Index) and index.is_unique:
        gone = np.flatnonzero(~index.isin(kept.index))
        raise RowsRefused(rule, [int(p) for p in gone], f"the notebook leaves such rows out: {rule}")
    raise RuleUnclear(rule)


def with_rows(members: Iterable[Any]) -> Iterator[Any]:
    """The members (tables, or tuples with tables in them) without those tables that a request has no row of: training's."""
    for member in members:
        parts = member if isinstance(member, tuple) else (member,)
        if not any(isinstance(part, (pd.DataFrame, pd.Series)) and not len(part) for part in parts):
            yield member


def one_row(rows: Any) -> Any:
    """The request's row itself, where the notebook took one row out of many (``X.iloc[42]``)."""
    if len_of(rows) != 1:
        raise RuleUnclear("the notebook predicts one row at a time")
    return rows.iloc[0] if isinstance(rows, (pd.DataFrame, pd.Series)) else rows[0]


def beside(values: pd.Series[Any], rows: Any) -> pd.Series[Any]:
    """A Series of training written into a column: pandas goes by labels, and training's labels are none of a request's rows."""
    return values.iloc[:0].reindex(rows.index)


def asked(method: Callable[..., Any], rows: Any, *more: Any, **options: Any) -> Any:
    """What a fitted object says of `rows`; where it refuses none, it says nothing, in the shape that its answers have.

    scikit-learn refuses no rows, a class of the notebook's or an encoder of labels makes of them what its other lines need.
    """
    if len_of(rows):
        return method(rows, *more, **options)
    with contextlib.suppress(Exception):  # whatever it says of no rows
        return method(rows, *more, **options)
    owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
    if name == "transform":
        if len(np.shape(rows)) < 2:
            return np.empty(0)
        width = np.shape(rows)[1]
        if owner is not None and hasattr(owner, "get_feature_names_out"):
            width = len(owner.get_feature_names_out())
        return np.empty((0, width))
    several = name.endswith("_proba") and hasattr(owner, "classes_")
    return np.empty((0, len(getattr(owner, "classes_", ())))) if several else np.empty(0)


def by_row(dtype: str, method: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """``table.apply(function, axis=1)`` (its `method` apply): a value for each row, of this dtype where there is no row to make one of."""
    rows: pd.DataFrame = method.__self__  # type: ignore[attr-defined]
    return method(*args, **options) if len(rows) else pd.Series(index=rows.index, dtype=dtype)


def every_row(rows: Any) -> Any:
    """All rows, where the notebook took a sample or sorted."""
    return rows


def no_row(rows: Any) -> Any:
    """None of the rows, where the notebook took training's part."""
    if isinstance(rows, (pd.DataFrame, pd.Series)):
        return rows.iloc[:0]
    return rows[:0]


def split(arrays: Sequence[Any], held: Sequence[bool]) -> list[Any]:
    """A split into parts as scikit-learn returns it, array by array: all rows where `held`, else none."""
    each = len(held) // len(arrays)
    return [every_row(a) if held[i * each + j] else no_row(a) for i, a in enumerate(arrays) for j in range(each)]


def part(rows: pd.DataFrame, columns: Sequence[Any], form: str) -> Any:
    """Columns of the raw table in the form that the notebook got them: frame, series, array (two axes) or vector (one).

    An array can be written to, as the one that the notebook got.
    """
    if form == "frame":
        return rows[list(columns)].copy()
    if form == "array":
        return rows[list(columns)].to_numpy(copy=True)
    column = rows[columns[0]]
    return column.copy() if form == "series" else column.to_numpy(copy=True)


def len_of(value: Any) -> int:
    """The number of rows of a frame, Series, array, sparse matrix or list."""
    shape = getattr(value, "shape", None)
    return int(shape[0]) if shape else len(value)
