"""Single values of a column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd


def objects(values: Sequence[Any]) -> Any:
    """The values, whatever they are, as a column of objects."""
    array = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        array[position] = value
    return pd.Series(array, dtype=object)  # a bare array of strings would become pandas' str dtype


def is_missing(value: Any) -> bool:
    """Whether the value is None, NaN, NaT or NA."""
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def is_finite(value: Any) -> bool:
    """Whether no number in the value is NaN or infinite."""
    if isinstance(value, (list, dict)):
        return all(is_finite(item) for item in (value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


def is_text(value: str) -> bool:
    """Whether the string can be written as UTF-8."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
