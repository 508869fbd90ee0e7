"""Training's distributions of inputs and predictions, for comparison with what the service sees later; no rows.

One object a column::

    {"type": "number", "count": 714, "missing": 177, "missing_share": 0.198653,
     "mean": 29.6991, "std": 14.5265, "quantiles": {"0.05": 4.0, ...},
     "histogram": {"edges": [4.0, 14.0, ...], "counts": [36, 35, ...]}}
    {"type": "string", "count": 889, "missing": 2, "missing_share": 0.00224467, "distinct": 3,
     "categories": [{"value": "S", "count": 644}, ...], "other": {"count": 0, "distinct": 0}}

`edges` are inner edges: the first bin holds all below the first, each further bin an edge and what follows
it, the last has no end. Integers with few different values have `categories` too.

Where the raw table has a time (`"time"` names its column), a column has `"by_day": {"days": 365, "concentration": 210.5}`: see `days.py`.

Nothing that fewer than five rows share is told: rarer categories are folded into `other`, thinner bins into
their neighbours, and there is no minimum or maximum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from .moments import of_objects

MIN_GROUP = 5
"""The fewest rows that a number in the document may stand for."""

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BINS = 20
_TOP = 50
_FEW = 20
_INFERRED = {
    "string": "string",
    "boolean": "boolean",
    "integer": "integer",
    "floating": "number",
    "date": "datetime",
    "datetime": "datetime",
    "datetime64": "datetime",
}
_LONGEST_CATEGORY = 200
_DIGITS = 6


def describe(frame: pd.DataFrame, predictions: object = None, *, prediction_name: str = "") -> dict[str, Any]:
    """The `reference.json` document for a training frame (its input columns) and its predictions.

    `predictions` is a Series, an array (two-dimensional for vectors) or a list, or None where there are
    none to tell of; its length need not be the frame's.
    """
    columns = {str(name): describe_column(frame.iloc[:, at]) for at, name in enumerate(frame.columns)}
    document: dict[str, Any] = {"schema": 1, "rows": len(frame), "columns": columns, "prediction": None}
    if predictions is not None:
        document["prediction"] = {"name": prediction_name, **_describe_predictions(predictions)}
    return document


def describe_column(values: pd.Series[Any]) -> dict[str, Any]:
    """What is told of one column; see the module's text for the form."""
    present = values[values.notna()]
    missing = len(values) - len(present)
    facts: dict[str, Any] = {
        "type": kind_of(values),
        "count": len(present),
        "missing": missing,
        "missing_share": _rounded(missing / len(values)) if len(values) else 0.0,
    }
    if len(present) < MIN_GROUP:
        return facts
    if facts["type"] in ("number", "integer"):
        # A class label or a month is an integer too: few values are counted one by one as well.
        few = facts["type"] == "integer" and present.nunique() <= _FEW
        return {**facts, **_numbers(present.to_numpy(dtype="float64")), **(_categories(present) if few else {})}
    if facts["type"] == "datetime":
        return {**facts, **_datetimes(present if present.dtype != object else of_objects(present))}
    if facts["type"] in ("string", "boolean", "category"):
        return {**facts, **_categories(present)}
    return facts


def kind_of(values: pd.Series[Any]) -> str:
    """`integer`, `number`, `boolean`, `datetime`, `category`, `string`, or `object` for anything else."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(dtype):
        return "integer"
    if pd.api.types.is_float_dtype(dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "datetime"
    inferred = pd.api.types.infer_dtype(values, skipna=True)
    return _INFERRED.get(inferred, "object")


def _numbers(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    finite = values[np.isfinite(values)]
    if len(finite) < MIN_GROUP:
        return {}
    counts, edges = _histogram(values, finite)
    return {
        "mean": _rounded(float(finite.mean())),
        "std": _rounded(float(finite.std())),
        "quantiles": {str(share): _rounded(value) for share, value in _quantiles(finite)},
        "histogram": {"edges": [_rounded(edge) for edge in edges], "counts": counts},
    }


def _datetimes(present: pd.Series[Any]) -> dict[str, Any]:
    zone = present.dt.tz
    ticks = present.dt.tz_localize(None) if zone is None else present.dt.tz_convert("UTC").dt.tz_localize(None)
    seconds = ticks.astype("datetime64[s]").astype("int64").to_numpy(dtype="float64")
    counts, edges = _histogram(seconds, seconds)

    def moment(second: float) -> str:
        stamp = pd.Timestamp(int(second), unit="s", tz="UTC")
        return str((stamp.tz_localize(None) if zone is None else stamp.tz_convert(zone)).isoformat())

    return {
        "quantiles": {str(share): moment(value) for share, value in _quantiles(seconds)},
        "histogram": {"edges": [moment(edge) for edge in edges], "counts": counts},
    }


def _quantiles(values: np.ndarray[Any, Any]) -> list[tuple[float, float]]:
    """Values that occur (a month stays a month), where at least five rows lie on either side."""
    told = [share for share in _QUANTILES if min(share, 1 - share) * len(values) >= MIN_GROUP or share == 0.5]
    found = np.quantile(values, told, method="nearest")
    return [(share, float(value)) for share, value in zip(told, found, strict=True)]


def _histogram(values: np.ndarray[Any, Any], finite: np.ndarray[Any, Any]) -> tuple[list[int], list[float]]:
    shares = np.arange(1, _BINS) / _BINS
    edges = [float(edge) for edge in np.unique([_rounded(float(q)) for q in np.quantile(finite, shares)])]
    filled = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    counts: list[int] = [0]
    kept: list[float] = []
    for at, count in enumerate(filled.tolist()):
        if at and counts[-1] >= MIN_GROUP:
            kept.append(edges[at - 1])
            counts.append(0)
        counts[-1] += count
    if kept and counts[-1] < MIN_GROUP:
        kept.pop()
        last = counts.pop()
        counts[-1] += last
    return counts, kept


def _categories(present: pd.Series[Any]) -> dict[str, Any]:
    try:
        found = present.value_counts(sort=False)
    except TypeError:
        return {}  # values that can't be compared, such as lists among strings
    counted = [(plain(value), int(count)) for value, count in found.items() if count]
    counted.sort(key=lambda item: (-item[1], str(item[0])))
    told = [item for item in counted if item[1] >= MIN_GROUP and len(str(item[0])) <= _LONGEST_CATEGORY][:_TOP]
    return {
        "distinct": len(counted),
        "categories": [{"value": value, "count": count} for value, count in told],
        "other": {
            "count": sum(count for _, count in counted) - sum(count for _, count in told),
            "distinct": len(counted) - len(told),
        },
    }


def plain(value: object) -> object:
    """A category's value as JSON has it: numbers and booleans as they are, a date as ISO 8601, else text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bool | int | str):
        return value
    return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)


def _describe_predictions(predictions: object) -> dict[str, Any]:
    if isinstance(predictions, pd.DataFrame):
        predictions = predictions.to_numpy()
    if isinstance(predictions, np.ndarray) and predictions.ndim == 2:
        return _describe_vectors(predictions)
    if isinstance(predictions, Sequence) and not isinstance(predictions, str) and _are_vectors(predictions):
        return _describe_vectors(np.asarray(predictions, dtype="float64"))
    values = predictions if isinstance(predictions, pd.Series) else pd.Series(list(predictions))  # type: ignore[call-overload]
    return describe_column(values)


def _are_vectors(values: Sequence[Any]) -> bool:
    lengths = {len(item) if isinstance(item, list | tuple | np.ndarray) else -1 for item in values}
    return len(lengths) == 1 and min(lengths) > 0


def _describe_vectors(values: np.ndarray[Any, Any]) -> dict[str, Any]:
    positions = [describe_column(pd.Series(values[:, at])) for at in range(values.shape[1])]
    return {"type": "vector", "count": len(values), "length": values.shape[1], "positions": positions}


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
