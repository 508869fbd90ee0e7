"""A table's column by its field of the signature: Arrow in, training's dtype out, row by row what the HTTP codec makes of the same values.

Numbers, booleans and date-times of the dtypes that most tables have are cast as whole columns. Whatever such a cast can't decide, and every other
type, goes through the column's codec: each distinct value once, as the JSON that a request would carry. So a table is never read otherwise than a
request, and a value that a request must not hold is a problem of its row.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..cells import objects
from ..columns import OBJECT, BooleanCodec, ColumnCodec, DatetimeCodec, IntegerCodec, NumberCodec, Refused
from . import texts

_EXACT = 2.0**53
_MASKED = (pd.arrays.IntegerArray, pd.arrays.FloatingArray, pd.arrays.BooleanArray)

Wrong = dict[int, str]
"""Why a row's value is refused, by position."""


@dataclass(frozen=True)
class CastColumn:
    """One column's values for all rows. Where `nulls` holds, `values` of a column that a null widens hold anything."""

    codec: ColumnCodec
    values: Any
    nulls: np.ndarray[Any, Any]

    def take(self, positions: Sequence[int]) -> CastColumn:
        """The rows at these positions."""
        if not positions:  # where the column takes no row's value, `values` are of no dtype
            return CastColumn(self.codec, self.codec.array([]), self.nulls[:0])
        if isinstance(positions, range) and len(positions) == len(self.nulls):
            return self
        at = np.asarray(positions, dtype=np.intp)
        return CastColumn(self.codec, taken(self.values, at), self.nulls[at])

    def array(self) -> Any:
        """As a column of the raw table: rows that share a table have a null in all or in none of the columns that it widens."""
        if self.codec.widens and len(self.nulls) and self.nulls[0]:
            return self.codec.array([None] * len(self.nulls))
        return self.values


def taken(values: Any, at: np.ndarray[Any, Any]) -> Any:
    """The values at these positions, of whatever a codec makes a column of."""
    if isinstance(values, pd.Series):
        return pd.Series(values.to_numpy()[at], dtype=values.dtype)
    return values.take(at)


def cast(codec: ColumnCodec, column: pa.ChunkedArray, *, is_text: bool = False) -> tuple[CastColumn, Wrong]:
    """The column cast, and which of its rows hold a value that it doesn't take.

    Args:
        codec: the field's.
        column: the values, of any Arrow type.
        is_text: whether they are texts that are to be read by the signature.
    """
    array = _one_array(column)
    if is_text:
        array = texts.read(codec, array)
    nulls = _nulls(array)
    made = _as_whole(codec, array, nulls)
    if made is None:
        return _by_value(codec, array, nulls, is_text=is_text and pa.types.is_string(array.type))
    values, wrong = made
    if nulls.any() and not codec.column.nullable:
        wrong.update(dict.fromkeys(np.flatnonzero(nulls).tolist(), _null_refused(codec)))
    return CastColumn(codec, values, nulls), wrong


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    """The chunks as one array of a plain type: no dictionary, no view, no extension."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # of no chunks, or too large for one
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], type=array.type)
    kind = array.type
    if isinstance(array, pa.ExtensionArray):
        array, kind = array.storage, array.storage.type
    if pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
    return array


def _nulls(array: pa.Array) -> np.ndarray[Any, Any]:
    if pa.types.is_floating(array.type):
        return np.array(pc.fill_null(pc.is_nan(array), True).to_numpy(zero_copy_only=False), dtype=bool)
    if array.null_count == 0:
        return np.zeros(len(array), dtype=bool)
    return np.array(array.is_null().to_numpy(zero_copy_only=False), dtype=bool)


def _null_refused(codec: ColumnCodec) -> str:
    try:
        codec.check(None)
    except Refused as refused:
        return str(refused)
    return "null"


def _as_whole(codec: ColumnCodec, array: pa.Array, nulls: np.ndarray[Any, Any]) -> tuple[Any, Wrong] | None:
    """The column cast at once; None where that is not known to be what the codec does."""
    numbers = pa.types.is_integer(array.type) or pa.types.is_floating(array.type)
    if isinstance(codec, NumberCodec) and numbers:
        return _numbers(codec, _filled(array, nulls).astype("float64"), nulls)
    if isinstance(codec, IntegerCodec) and numbers:
        return _integers(codec, _filled(array, nulls), nulls)
    if isinstance(codec, BooleanCodec) and pa.types.is_boolean(array.type):
        return _typed(codec, _filled(array, nulls), nulls)
    if isinstance(codec, DatetimeCodec) and (pa.types.is_timestamp(array.type) or pa.types.is_date(array.type)):
        return _moments(codec, array)
    return None


def _filled(array: pa.Array, nulls: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A writable copy of the numbers, 0 where one is missing."""
    filled = pc.fill_null(array, False if pa.types.is_boolean(array.type) else 0) if array.null_count else array
    values = np.array(filled.to_numpy(zero_copy_only=False))
    if nulls.any():
        values[nulls] = 0
    return values


def _numbers(codec: NumberCodec, values: np.ndarray[Any, Any], nulls: np.ndarray[Any, Any]) -> tuple[Any, Wrong] | None:
    wrong = {}
    for position in np.flatnonzero(~(np.abs(values) <= codec.limit)).tolist():
        wrong[position] = _refusal(codec, float(values[position]))
        values[position] = 0
    return _typed(codec, values, nulls, wrong)


def _integers(
    codec: IntegerCodec, values: np.ndarray[Any, Any], nulls: np.ndarray[Any, Any]
) -> tuple[Any, Wrong] | None:
    kept = codec.dtype if isinstance(codec.dtype, np.dtype) else getattr(codec.dtype, "numpy_dtype", None)
    if kept is None or kept.kind not in "iu":
        return None
    if values.dtype.kind == "f":
        plain = (values == np.floor(values)) & (np.abs(values) < _EXACT)
    else:
        plain = np.ones(len(values), dtype=bool)
    limits = np.iinfo(values.dtype if values.dtype.kind in "iu" else np.int64)
    if codec.low > limits.min:
        plain &= values >= codec.low
    if codec.high < limits.max or values.dtype.kind == "f":
        plain &= values <= codec.high
    wrong = {}
    whole = np.where(plain, values, np.zeros(1, dtype=values.dtype)).astype(kept)
    for position in np.flatnonzero(~plain).tolist():
        try:
            whole[position] = codec.check(values[position].item())
        except Refused as refused:
            wrong[position] = str(refused)
    return _typed(codec, whole, nulls, wrong)


def _typed(
    codec: ColumnCodec, values: np.ndarray[Any, Any], nulls: np.ndarray[Any, Any], wrong: Wrong | None = None
) -> tuple[Any, Wrong] | None:
    """Checked values as a column of the codec's dtype; None for dtypes that only the codec makes."""
    dtype = codec.dtype
    if isinstance(dtype, np.dtype):
        if dtype == OBJECT:
            return None
        if dtype.kind == "f":
            values = values.astype("float64")
            values[nulls] = np.nan
        return values.astype(dtype), wrong or {}
    kind = dtype.construct_array_type()
    if kind in _MASKED:
        return kind(values.astype(dtype.numpy_dtype), nulls.copy()), wrong or {}
    return None


def _moments(codec: DatetimeCodec, array: pa.Array) -> tuple[Any, Wrong] | None:
    zoned = getattr(array.type, "tz", None) is not None
    if codec.dtype == OBJECT or zoned != (codec.zone is not None):
        return None
    try:
        whole = array.cast(pa.timestamp(codec.unit, getattr(array.type, "tz", None))).cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    values = np.array(whole.fill_null(np.iinfo("int64").min).to_numpy(zero_copy_only=False))
    naive = values.view(f"datetime64[{codec.unit}]")
    if codec.zone is None:
        return naive, {}
    return pd.DatetimeIndex(naive).tz_localize("UTC").tz_convert(codec.zone).array, {}


def _refusal(codec: ColumnCodec, value: Any) -> str:
    try:
        codec.check(value)
    except Refused as refused:
        return str(refused)
    raise AssertionError(f"{codec.column.key}: a value that the codec takes was not cast")


# -- value by value --


def _by_value(
    codec: ColumnCodec, array: pa.Array, nulls: np.ndarray[Any, Any], *, is_text: bool
) -> tuple[CastColumn, Wrong]:
    """Each distinct value through the codec."""
    uniques, codes = _distinct(array, nulls)
    wire = [texts.json_value(value, codec) for value in uniques] if is_text else list(map(json_value, uniques))
    ready: list[Any] = []
    refused: dict[int, str] = {}
    places = np.zeros(len(wire) + 1, dtype=np.intp)
    for at, value in enumerate(wire):
        try:
            places[at] = len(ready)
            ready.append(codec.check(value))
        except Refused as problem:
            refused[at] = str(problem)
            places[at] = 0
    if codec.column.nullable and not codec.widens:
        places[-1] = len(ready)
        ready.append(None)
    wrong = {}
    if refused:
        bad = np.isin(codes, list(refused))
        wrong = {position: refused[int(codes[position])] for position in np.flatnonzero(bad).tolist()}
    if nulls.any() and not codec.column.nullable:
        wrong.update(dict.fromkeys(np.flatnonzero(nulls).tolist(), _null_refused(codec)))
    # Of what use the values are where no row has one that the column takes: none.
    values = taken(codec.array(ready), places[codes]) if ready else objects([None] * len(nulls))
    return CastColumn(codec, values, nulls), wrong


def _distinct(array: pa.Array, nulls: np.ndarray[Any, Any]) -> tuple[list[Any], np.ndarray[Any, Any]]:
    """Distinct values that are not null, and for each row which it has; -1 where it has none."""
    kind = array.type
    if pa.types.is_nested(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        codes = np.where(nulls, -1, np.arange(len(array)))
        return array.to_pylist(), codes
    encoded = array.dictionary_encode()
    codes = np.array(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.intp)
    return _python_values(encoded.dictionary), codes


def _python_values(array: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(array.type):  # Python's own has no nanoseconds
        return list(array.to_pandas())
    values: list[Any] = array.to_pylist()
    return values


def json_value(value: Any) -> Any:
    """A table's value as the JSON that a request would carry; what JSON has no form for stays, and is refused by its type."""
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [json_value(item) for item in value]
    return value
