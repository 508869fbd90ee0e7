"""What the notebook's code returned, as one plain JSON value a row.

Labels, strings, integers and booleans stay what they are; a missing value is null; infinity, which JSON can't carry,
is the string "Infinity" or "-Infinity" (as in Protocol Buffers' JSON); a date-time is ISO 8601; a row of a matrix is a
list, a row of a frame an object.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd


class NotOnePerRow(Exception):
    """The code gave more or fewer values than rows."""


def per_row(value: Any, count: int) -> list[Any]:
    """The value as ``count`` plain values, one for each row.

    Raises:
        NotOnePerRow: it holds another number of values.
    """
    made = _split(value, count)
    if len(made) != count:
        raise NotOnePerRow(f"the notebook's code gave {len(made)} values for {count} rows")
    return made


def featured(given: Any, count: int) -> list[Any]:
    """What ``features`` returned, as one plain value a row; of several things the first that has an entry for each row.

    A function that predicts may be given training's part as well, which is empty while serving.

    Raises:
        NotOnePerRow: nothing of it has.
    """
    if not isinstance(given, tuple):
        return per_row(given, count)
    for part in given[:-1]:
        with contextlib.suppress(NotOnePerRow):
            return per_row(part, count)
    return per_row(given[-1], count)


def _split(value: Any, count: int) -> list[Any]:
    if isinstance(value, np.ndarray) and value.ndim:
        return _array(value)
    if isinstance(value, pd.DataFrame):
        names = [str(name) for name in value.columns]
        columns = [_split(value.iloc[:, position], count) for position in range(value.shape[1])]
        return (
            [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
            if columns
            else [{} for _ in range(len(value))]
        )
    if isinstance(value, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        kept = value.to_numpy() if isinstance(value.dtype, np.dtype) and value.dtype.kind in "biuf" else None
        return _array(kept) if kept is not None else [plain_value(item) for item in value]
    if type(value).__module__.startswith("polars."):
        rows = value.rows(named=True) if hasattr(value, "rows") else value.to_list()
        return [plain_value(item) for item in rows]
    if hasattr(value, "num_row") and hasattr(value, "get_data"):
        return _split(_of_booster(value), count)
    if hasattr(value, "toarray") and hasattr(value, "nnz"):
        return _array(value.toarray())
    if isinstance(value, (list, tuple)) and not (count == 1 and len(value) != 1):
        return [plain_value(item) for item in value]
    return [plain_value(value)]


def _of_booster(data: Any) -> pd.DataFrame:
    """The features that an xgboost data set holds, without its label; what it stores nothing for is missing."""
    stored = data.get_data().tocoo()
    dense = np.full(stored.shape, np.nan, dtype=stored.dtype)
    dense[stored.row, stored.col] = stored.data
    names = data.feature_names
    return pd.DataFrame(dense, columns=names if names is not None else [f"f{i}" for i in range(dense.shape[1])])


def _array(values: np.ndarray[Any, Any]) -> list[Any]:
    kind = values.dtype.kind
    if kind in "biu" or (kind == "f" and bool(np.isfinite(values).all())):
        made: list[Any] = values.tolist()
        return made
    return [plain_value(item) for item in (values if values.ndim > 1 or kind in "mM" else values.tolist())]


def plain_value(value: Any) -> Any:
    """One value as what JSON carries."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.generic) and not isinstance(value, (np.datetime64, np.timedelta64)):
        value = value.item()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return _number(float(value))
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, (np.datetime64, np.timedelta64, dt.timedelta, dt.date, dt.time)):
        return _moment(value)
    if isinstance(value, decimal.Decimal):
        return _number(float(value))
    if isinstance(value, (Mapping, pd.Series)):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return plain_value(value.item())
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray, pd.Index)):
        return [plain_value(item) for item in value]
    return str(value)


def _number(value: float) -> Any:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return None
    return "Infinity" if value > 0 else "-Infinity"


def _moment(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    elif isinstance(value, (np.timedelta64, dt.timedelta)):
        value = pd.Timedelta(value)
    return None if value is pd.NaT else value.isoformat()
