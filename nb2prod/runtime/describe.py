"""From the raw table of the recorded run to the ``columns`` of ``signature.json``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from .columns import HELD, OBJECT, Refused, codec_of
from .made import stand_in
from .signature import Column

_MOST_TEXTS = 50
_SHARED_BY = 5
"""A text field tells its categories where training had at most 50 different ones, and only those that five rows or more had."""


class Undescribable(Exception):
    """A raw column that a request can't give as JSON; the text names the column and its type."""


def columns(
    frame: pd.DataFrame, *, fields: Collection[Any], targets: Collection[Any] = (), nullable: Collection[Any] = ()
) -> list[dict[str, Any]]:
    """Describe every column of the raw table, in its order.

    Args:
        frame: the raw table's rows as training had them.
        fields: labels of the columns that a request gives.
        targets: labels of the target's columns.
        nullable: labels of fields that take null although training saw no missing value.

    Raises:
        Undescribable: a field (or a column that needs a phantom value) can't be carried by JSON.
    """
    return [
        column(frame[label], field=label in fields, target=label in targets, nullable=label in nullable)
        for label in frame.columns
    ]


def column(values: pd.Series[Any], *, field: bool, target: bool = False, nullable: bool = False) -> dict[str, Any]:
    """Describe one raw column: its types, nullability, range and categories, an example and a phantom value."""
    label = values.name
    if not isinstance(label, (str, int, np.integer)):
        raise Undescribable(f"a column is called {label!r}; expected a text or an integer")
    name = label if isinstance(label, str) else int(label)
    missing = values.isna()
    form: dict[str, Any] = {
        "name": name,
        "dtype": _dtype(values),
        "field": field,
        "target": target,
        "type": _type(values[~missing], values.dtype),
        "nullable": bool(missing.any()) or nullable,
        "phantom": None,
        "minimum": None,
        "maximum": None,
        "categories": None,
        "rarer": 0,
        "ordered": False,
        "format": None,
        "example": None,
        "missing": "none" if _has_none(values) else "nan",
    }
    if isinstance(values.dtype, pd.CategoricalDtype):
        form["ordered"] = bool(values.dtype.ordered)
        form["categories"] = _categories(values.dtype.categories)
        held = str(values.dtype.categories.dtype)
        form["format"] = None if held == HELD.get(form["type"]) else held
    elif form["type"] == "string":
        form["categories"], form["rarer"] = _shared(values[~missing])
    elif form["type"] == "datetime" and values.dtype == OBJECT:
        form["format"] = _made_of(values[~missing])
    return _with_values(form, values, missing)


def _with_values(form: dict[str, Any], values: Any, missing: Any) -> dict[str, Any]:
    made = Column(**{**form, "nullable": True, "categories": form["categories"] and tuple(form["categories"])})
    codec = codec_of(made)
    seen = values[~missing]
    if len(seen):
        finite = seen[~np.isinf(seen.astype("float64"))] if form["type"] == "number" else seen
        try:
            # A value that many rows share is the safest phantom: the notebook's code surely takes it.
            form["phantom"] = codec.encode(stand_in(finite, form["type"]) if len(finite) else seen.iloc[:0])[0]
        except (Refused, IndexError, TypeError, ValueError) as error:
            raise Undescribable(f"column '{form['name']}' can't be carried by JSON: {error}") from error
        form["example"] = form["phantom"]
        if (
            form["type"] in ("integer", "number", "datetime")
            and form["dtype"] not in ("object", "category")
            and len(finite)
        ):
            form["minimum"], form["maximum"] = (codec.encoded(bound) for bound in (finite.min(), finite.max()))
    elif not form["nullable"]:
        form["nullable"] = True  # no row at all: nothing but null is known to be taken
    return form


def _dtype(values: Any) -> str:
    return "category" if isinstance(values.dtype, pd.CategoricalDtype) else str(values.dtype)


def _type(seen: Any, dtype: Any) -> str:
    if isinstance(dtype, pd.CategoricalDtype):
        categories = dtype.categories
        return _type(pd.Series(categories, dtype=categories.dtype), categories.dtype)
    if pd.api.types.is_bool_dtype(dtype) and dtype != OBJECT:
        return "boolean"
    if pd.api.types.is_integer_dtype(dtype):
        return "integer"
    if pd.api.types.is_float_dtype(dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "datetime"
    if isinstance(dtype, pd.StringDtype):
        return "string"
    return _type_of_objects(seen, dtype)


def _type_of_objects(seen: Any, dtype: Any) -> str:
    if dtype != OBJECT:
        raise Undescribable(f"column '{seen.name}' has the type {dtype}, which JSON can't carry")
    kinds = {type(value) for value in seen}
    if not kinds or kinds <= {str}:
        return "string"
    if kinds <= {bool, np.bool_}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    if len(kinds) == 1 and kinds <= {dt.date, dt.datetime, pd.Timestamp}:
        return "datetime"
    if kinds <= {bool, int, float, str, list, dict}:
        return "any"
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise Undescribable(f"column '{seen.name}' holds objects of type {names}, which JSON can't carry")


def _made_of(seen: Any) -> str | None:
    kinds = {type(value) for value in seen}
    return {frozenset({dt.date}): "date", frozenset({dt.datetime}): "datetime"}.get(frozenset(kinds))


def _has_none(values: Any) -> bool:
    return bool(values.dtype == OBJECT) and any(value is None for value in values)


def _shared(seen: Any) -> tuple[list[str] | None, int]:
    """The texts that enough rows share to belong to no one of them, where the column has few different ones; and how many more it has."""
    counts = seen.value_counts()
    if not 0 < len(counts) <= _MOST_TEXTS:
        return None, 0
    told = sorted(str(text) for text in counts.index[counts >= _SHARED_BY])
    return (told, len(counts) - len(told)) if told else (None, 0)


def _categories(categories: Any) -> list[Any]:
    if isinstance(categories, pd.DatetimeIndex):
        return [moment.isoformat() for moment in categories]
    made: list[Any] = categories.tolist()
    return made
