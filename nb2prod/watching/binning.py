"""Counts of a column of the request log in the bins of a series."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from nb2prod.watching.series import Series, is_number

Counts = npt.NDArray[np.int64]


def counts(batch: pa.RecordBatch, questions: Sequence[Series]) -> dict[str, Counts]:
    """The counts of each series by its key; a series whose column the log does not have is left out."""
    names = set(batch.schema.names)
    found: dict[str, Counts] = {}
    for item in questions:
        if item.column in names:
            found[item.key] = _counts(batch.column(item.column), item)
    return found


def _counts(values: pa.Array, item: Series) -> Counts:
    if item.kind in ("missing", "errors", "fallbacks"):
        missing = values.null_count
        yes = missing if item.kind == "missing" else len(values) - missing
        return np.array([len(values) - yes, yes], dtype="int64")
    if item.at is not None:
        return _of_numbers(_at(values, item.at), item)
    if item.kind == "rare":
        known = _of_categories(values, [value for (value,) in item.categories])
        total = len(values) - values.null_count
        return np.array([known.sum(), total - known.sum()], dtype="int64")
    if item.edges:
        numbers = values.drop_null()
        if not (pa.types.is_integer(numbers.type) or pa.types.is_floating(numbers.type)):
            return np.zeros(len(item.labels), dtype="int64")
        return _of_numbers(numbers.to_numpy(zero_copy_only=False), item)
    alone = _of_categories(values, [value for (value,) in item.categories])
    rest = len(values) - values.null_count - int(alone.sum())
    return np.append(alone, rest) if item.others else alone


def _of_numbers(values: npt.NDArray[Any], item: Series) -> Counts:
    numbers = values.astype("float64")
    numbers = numbers[~np.isnan(numbers)]
    places = np.searchsorted(np.asarray(item.edges), numbers, side="right")
    return np.bincount(places, minlength=len(item.labels)).astype("int64")


def _of_categories(values: pa.Array, known: Sequence[Any]) -> Counts:
    """How often each of these values is there. They are compared as text where the log holds text, else as what they are."""
    found: dict[Any, int] = {}
    text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
    for entry in pc.value_counts(values).to_pylist():
        value = entry["values"]
        if value is not None:
            found[value] = found.get(value, 0) + entry["counts"]
    return np.array([found.get(str(value) if text else value, 0) for value in known], dtype="int64")


def _at(values: pa.Array, at: int) -> npt.NDArray[np.float64]:
    """The numbers at a position of vectors that the log holds as JSON."""
    made = []
    for text in values.to_pylist():
        if text is None:
            continue
        vector = json.loads(text)
        number = vector[at] if isinstance(vector, list) and len(vector) > at else None
        made.append(number if is_number(number) else np.nan)
    return np.asarray(made, dtype="float64")


def bin_of(value: Any, item: Series) -> int:
    """The bin of one value of the prediction; -1 for what is in none."""
    if item.at is not None:
        value = value[item.at] if isinstance(value, (list, tuple)) and len(value) > item.at else None
    if value is None:
        return -1
    if item.edges:
        return int(np.searchsorted(np.asarray(item.edges), float(value), side="right")) if is_number(value) else -1
    for at, (known,) in enumerate(item.categories):
        if value == known or str(value) == str(known):
            return at
    return len(item.categories) if item.others else -1
