"""A value that stands for a column without being anybody's: for phantom columns, which hold the same value in every row.

A value that several rows share says nothing of one of them. Where none is shared (names, identifiers, measurements), one is made: a
number near the middle, a day near the middle, a text in which only the shape is left.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pandas as pd

SHARED = 5
"""Rows that must have a value in common before it is shown."""


def stand_in(seen: Any, kind: str) -> Any:
    """A Series of one value for these non-missing, finite values of a column, whose JSON type is `kind`.

    Raises:
        TypeError: the values can't be compared.
    """
    common = seen.mode(dropna=True).iloc[:1]
    first = common.iloc[0]
    if isinstance(seen.dtype, pd.CategoricalDtype) or kind == "boolean" or int((seen == first).sum()) >= SHARED:
        return common
    if kind in ("integer", "number") and seen.dtype != object:
        return pd.Series([_middle(seen, whole=kind == "integer")]).astype(seen.dtype)
    if kind == "datetime" and seen.dtype != object:
        return pd.Series([max(seen.quantile(0.5, "lower").floor("D"), seen.min())], dtype=seen.dtype)
    return pd.Series([_made_of(first)], dtype=seen.dtype)


def _made_of(value: Any) -> Any:
    if isinstance(value, str):
        return _shape_of(value)
    if isinstance(value, dt.datetime):
        return value.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if isinstance(value, dt.date):
        return value.replace(day=1)
    return value


def _middle(seen: Any, *, whole: bool) -> Any:
    low, high = seen.min(), seen.max()
    if whole:
        return int(low) + (int(high) - int(low)) // 2
    return min(max(float(f"{float(seen.median()):.3g}"), float(low)), float(high))


def _shape_of(text: str) -> str:
    """The text with other letters and digits: code that splits or parses it still finds its parts.

    ``Braund, Mr. Owen`` is ``Xxxxxx, Xx. Xxxx``, ``1987-06-05`` is ``2011-11-11``, which is a date as well.
    """
    dated = re.sub(r"(?<!\d)(?:19|20)\d\d(?!\d)", "\0", text)
    digits = re.sub(r"\d", "1", dated)
    lower = re.sub(r"[^\W\d_A-Z]", "x", digits)
    return re.sub(r"[A-Z]", "X", lower).replace("\0", "2011")
