"""Frames, Series and indexes as Parquet, exactly.

Columns are stored by position under neutral names; labels, dtypes and the index's shape are plain JSON in the file's
metadata. So a table comes back with the dtypes, labels and missing values it had, whatever Parquet makes of them:
object columns are stored cell by cell as JSON, categories as codes, date-times as integers.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from . import plain
from .plain_arrays import NumpyBacked

_KEY = b"nb2prod"


def dumps(value: Any) -> bytes:
    """A frame, Series or index as the bytes of a Parquet file.

    Raises:
        plain.NotPlain: a column or label has a type that can't be stored exactly, or pyarrow is missing.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise plain.NotPlain("pyarrow is not installed") from error
    arrays, form = _taken_apart(value)
    columns, dtypes = [], []
    for array in arrays:
        column, dtype = _stored(array, pa)
        columns.append(column)
        dtypes.append(dtype)
    form["dtypes"] = dtypes
    table = pa.table(columns, names=[str(position) for position in range(len(columns))])
    table = table.replace_schema_metadata({_KEY: json.dumps(form, separators=(",", ":")).encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def loads(data: bytes) -> Any:
    """The table that ``dumps`` was given."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(data))
    form = json.loads(table.schema.metadata[_KEY])
    arrays = [_restored(table.column(position), dtype) for position, dtype in enumerate(form["dtypes"])]
    return _put_together(arrays, form)


def _taken_apart(value: Any) -> tuple[list[Any], dict[str, Any]]:
    """The table's columns (with those of its index last) and a description of the rest."""
    if isinstance(value, pd.Index):
        return [], {"kind": "index", "index": plain.encode(value)}
    index = value.index
    if type(value) is pd.Series:
        arrays = [value.array]
        form: dict[str, Any] = {"kind": "series", "name": plain.encode(value.name)}
    elif type(value) is pd.DataFrame:
        arrays = [value.iloc[:, position].array for position in range(value.shape[1])]
        form = {"kind": "frame", "columns": plain.encode(value.columns)}
    else:
        raise plain.NotPlain(f"{type(value).__qualname__} is not a plain table")
    if type(index) is pd.RangeIndex or index.nlevels > 1 or isinstance(index.dtype, pd.IntervalDtype):
        form["index"] = plain.encode(index)
        return arrays, form
    form["index"] = None
    form["index_name"] = plain.encode(index.name)
    form["freq"] = getattr(index, "freqstr", None)
    return [*arrays, index.array], form


def _put_together(arrays: list[Any], form: dict[str, Any]) -> Any:
    if form["kind"] == "index":
        return plain.decode(form["index"])
    if form["index"] is None:
        values = arrays.pop()
        dtype = object if getattr(values, "dtype", None) == plain.OBJECT else None
        index = pd.Index(values, dtype=dtype, name=plain.decode(form["index_name"]))
        if form["freq"]:
            index.freq = form["freq"]
    else:
        index = plain.decode(form["index"])
    if form["kind"] == "series":
        series = plain.as_series(arrays[0], index)
        series.name = plain.decode(form["name"])
        return series
    frame = pd.DataFrame({at: plain.as_series(array, index) for at, array in enumerate(arrays)}, index=index)
    frame.columns = plain.decode(form["columns"])
    return frame


def _stored(array: Any, pa: Any) -> tuple[Any, Any]:
    """One column for Parquet and its dtype's description."""
    dtype = array.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return pa.array(array.codes.astype("int64")), plain.encode(dtype)
    if isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind in "mM":
        return pa.array(np.asarray(array.asi8)), plain.encode(dtype)
    if isinstance(array, NumpyBacked):
        values = array.to_numpy()
        if values.dtype == plain.OBJECT:
            missing = _missing_of_texts(values)
            if missing is not None:
                return pa.array(values, type=pa.string(), from_pandas=True), {_TEXTS: missing}
            texts = [plain.dumps(item).decode("ascii") for item in values]
            return pa.array(texts, type=pa.string()), plain.encode(values.dtype)
        if values.dtype.kind in "biuf" and values.dtype.itemsize <= 8:
            return pa.array(values), plain.encode(values.dtype)
    if isinstance(dtype, pd.StringDtype) or str(dtype) in _MASKED:
        return pa.array(array, from_pandas=True), plain.encode(dtype)
    raise plain.NotPlain(f"a column of type {dtype} can't be stored in Parquet exactly")


def _missing_of_texts(values: Any) -> str | None:
    """How an array of objects marks what is missing (``"None"`` or ``"nan"``) if all else in it is text; None for other arrays."""
    gaps = pd.isna(values)
    if set(map(type, values[~gaps])) - {str}:
        return None
    marks = values[gaps]
    if all(mark is None for mark in marks):
        return "None"
    return "nan" if set(map(type, marks)) == {float} else None


_TEXTS = "texts"
_MASKED = {
    "boolean", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64",
}  # fmt: skip


def _restored(column: Any, form: Any) -> Any:
    """One column as it was before ``_stored``."""
    if isinstance(form, dict) and _TEXTS in form:
        texts = column.to_numpy(zero_copy_only=False)
        if form[_TEXTS] == "nan":
            texts[pd.isna(texts)] = float("nan")
        return texts
    dtype = plain.decode(form)
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Categorical.from_codes(column.to_numpy(), dtype=dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        naive = column.to_numpy().view(f"datetime64[{dtype.unit}]")
        return pd.DatetimeIndex(naive).tz_localize("UTC").tz_convert(dtype.tz).array
    if not isinstance(dtype, np.dtype):
        return pd.array(column.to_pylist(), dtype=dtype)
    if dtype.kind in "mM":
        return column.to_numpy().view(dtype)
    if dtype == plain.OBJECT:
        values = np.empty(len(column), dtype=object)
        for position, text in enumerate(column.to_pylist()):
            values[position] = plain.loads(text.encode())
        return values
    return column.to_numpy().astype(dtype, copy=False)
