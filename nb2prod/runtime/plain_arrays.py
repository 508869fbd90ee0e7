"""numpy's and pandas' types as plain JSON: scalars, arrays, dtypes, indexes, small tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from .plain_core import NotPlain, decode, encode
from .plain_python import zone_name, zone_of

OBJECT = np.dtype(object)
NumpyBacked: Any = getattr(pd.arrays, "NumpyExtensionArray", None) or pd.arrays.PandasArray  # type: ignore[attr-defined]
"""pandas' array around a numpy array; called PandasArray before pandas 2.1."""
LARGEST = 100_000
"""Arrays with more entries than this belong in a file format of their own."""


def _encode_numpy_scalar(value: Any) -> Any:
    kind = value.dtype.kind
    if kind in "mM":
        return {"$": "np", "t": str(value.dtype), "v": int(value.view("int64"))}
    if kind in "biuSU" or (kind == "f" and value.dtype.itemsize <= 8):
        item = value.item()
        return {"$": "np", "t": value.dtype.str if kind in "SU" else str(value.dtype), "v": encode(item)}
    raise NotPlain(f"a numpy scalar of type {value.dtype} is not plain data")


def _encode_ndarray(value: Any) -> Any:
    if value.size > LARGEST:
        raise NotPlain(f"an array of {value.size} entries is too large for JSON")
    kind = value.dtype.kind
    if kind in "mM":
        flat = value.ravel().view("int64").tolist()
    elif kind in "biuUO" or (kind == "f" and value.dtype.itemsize <= 8):
        flat = [encode(item) for item in value.ravel().tolist()]
    else:
        raise NotPlain(f"an array of type {value.dtype} is not plain data")
    dtype = value.dtype.str if kind == "U" else str(value.dtype)
    return {"$": "ndarray", "dtype": dtype, "shape": list(value.shape), "v": flat}


def _encode_dtype(value: Any) -> Any:
    if isinstance(value, pd.CategoricalDtype):
        return {"$": "category", "categories": encode(value.categories), "ordered": bool(value.ordered)}
    if isinstance(value, np.dtype):
        if value.names is not None:
            raise NotPlain("a structured dtype is not plain data")
        return {"$": "dtype", "numpy": True, "v": value.str}
    text = str(value)
    try:
        same: bool = pd.api.types.pandas_dtype(text) == value
    except TypeError:
        same = False
    if not same:
        raise NotPlain(f"the dtype {text} is not plain data")
    return {"$": "dtype", "numpy": False, "v": text}


def _encode_values(value: Any) -> Any:
    """The entries of an index or an extension array; its dtype is written beside them."""
    if len(value) > LARGEST:
        raise NotPlain(f"{len(value)} entries are too many for JSON")
    dtype = value.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return value.codes.tolist()
    if isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind in "mM":
        return np.asarray(value.asi8).tolist()
    if isinstance(dtype, pd.IntervalDtype):
        return {"left": encode(value.left), "right": encode(value.right), "closed": value.closed}
    if isinstance(dtype, (pd.PeriodDtype, pd.SparseDtype)):
        raise NotPlain(f"the dtype {dtype} is not plain data")
    return [encode(item) for item in value.tolist()]


def _encode_index(value: Any) -> Any:
    name = encode(value.name) if value.nlevels == 1 else None
    if type(value) is pd.RangeIndex:
        return {"$": "RangeIndex", "v": [value.start, value.stop, value.step], "name": name}
    if isinstance(value, pd.MultiIndex):
        levels = [encode(level.rename(None)) for level in value.levels]
        codes = [np.asarray(code).tolist() for code in value.codes]
        return {"$": "MultiIndex", "levels": levels, "codes": codes, "names": encode(list(value.names))}
    form = {"$": "Index", "dtype": encode(value.dtype), "v": _encode_values(value), "name": name}
    if isinstance(value, (pd.DatetimeIndex, pd.TimedeltaIndex)):
        form["freq"] = value.freqstr
    return form


def _encode_series(value: Any) -> Any:
    return {"$": "Series", "index": encode(value.index), "name": encode(value.name), "v": encode(value.array)}


def _encode_frame(value: Any) -> Any:
    if value.size > LARGEST:
        raise NotPlain(f"a table of {value.size} cells is too large for JSON")
    arrays = [encode(value.iloc[:, position].array) for position in range(value.shape[1])]
    return {"$": "DataFrame", "index": encode(value.index), "columns": encode(value.columns), "v": arrays}


def _encode_numpy_backed(value: Any) -> Any:
    values = value.to_numpy()
    return {"$": "array", "dtype": encode(values.dtype), "v": _encode_ndarray(values)["v"]}


def _encode_timestamp(value: Any) -> Any:
    zone = None if value.tzinfo is None else zone_name(value.tzinfo)
    return {"$": "Timestamp", "v": int(value._value), "unit": value.unit, "tz": zone}  # noqa: SLF001 - no public name for the integer


def _decode_numpy_scalar(form: Any) -> Any:
    dtype = np.dtype(form["t"])
    if dtype.kind in "mM":
        return np.int64(form["v"]).view(dtype)
    return dtype.type(decode(form["v"]))


def _decode_ndarray(form: Any) -> Any:
    dtype = np.dtype(form["dtype"])
    if dtype.kind in "mM":
        return np.array(form["v"], dtype="int64").view(dtype).reshape(form["shape"])
    if dtype.kind == "O":
        flat = np.empty(len(form["v"]), dtype=object)
        for position, item in enumerate(form["v"]):
            flat[position] = decode(item)
        return flat.reshape(form["shape"])
    return np.array([decode(item) for item in form["v"]], dtype=dtype).reshape(form["shape"])


def _decode_dtype(form: Any) -> Any:
    return np.dtype(form["v"]) if form["numpy"] else pd.api.types.pandas_dtype(form["v"])


def _decode_category(form: Any) -> Any:
    return pd.CategoricalDtype(decode(form["categories"]), ordered=form["ordered"])


def _decode_values(form: Any) -> Any:
    dtype, values = decode(form["dtype"]), form["v"]
    if isinstance(dtype, pd.CategoricalDtype):
        return pd.Categorical.from_codes(values, dtype=dtype)
    if isinstance(dtype, pd.DatetimeTZDtype):
        naive = np.array(values, dtype="int64").view(f"datetime64[{dtype.unit}]")
        return pd.DatetimeIndex(naive).tz_localize("UTC").tz_convert(dtype.tz).array
    if isinstance(dtype, pd.IntervalDtype):
        left, right = decode(values["left"]), decode(values["right"])
        return pd.arrays.IntervalArray.from_arrays(left, right, closed=values["closed"])
    if isinstance(dtype, np.dtype):
        return _decode_ndarray({"dtype": dtype.str, "shape": [len(values)], "v": values})
    return pd.array([decode(item) for item in values], dtype=dtype)


def _decode_index(form: Any) -> Any:
    values, name = _decode_values(form), decode(form["name"])
    dtype = decode(form["dtype"])
    index = pd.Index(values, dtype=dtype if dtype == OBJECT else None, name=name)
    if form.get("freq"):
        index.freq = form["freq"]
    return index


def _decode_array(form: Any) -> Any:
    values = _decode_values(form)
    if not isinstance(values, np.ndarray):
        return values
    if values.dtype.kind in "mM":
        return pd.array(values, dtype=values.dtype)
    return NumpyBacked(values)


def _decode_series(form: Any) -> Any:
    series = as_series(decode(form["v"]), decode(form["index"]))
    series.name = decode(form["name"])
    return series


def as_series(array: Any, index: pd.Index) -> pd.Series[Any]:
    """A Series of just these values; strings in an array of objects stay objects."""
    values = array.to_numpy() if isinstance(array, NumpyBacked) else array
    return pd.Series(values, index=index, dtype=object if values.dtype == OBJECT else None, copy=False)


def _decode_frame(form: Any) -> Any:
    index, columns = decode(form["index"]), decode(form["columns"])
    arrays = {position: as_series(decode(item), index) for position, item in enumerate(form["v"])}
    frame = pd.DataFrame(arrays, index=index)
    frame.columns = columns
    return frame


def _decode_timestamp(form: Any) -> Any:
    moment = pd.Timestamp(np.int64(form["v"]).view(f"datetime64[{form['unit']}]"))
    return moment if form["tz"] is None else moment.tz_localize("UTC").tz_convert(zone_of(form["tz"]))


ENCODERS: dict[type, Callable[[Any], Any]] = {
    pd.Timestamp: _encode_timestamp,
    pd.Timedelta: lambda value: {"$": "Timedelta", "v": int(value._value), "unit": value.unit},  # noqa: SLF001
    type(pd.NaT): lambda _: {"$": "NaT"},
    type(pd.NA): lambda _: {"$": "NA"},
    pd.Interval: lambda value: {
        "$": "Interval",
        "v": [encode(value.left), encode(value.right)],
        "closed": value.closed,
    },
    pd.Series: _encode_series,
    pd.DataFrame: _encode_frame,
    NumpyBacked: _encode_numpy_backed,
    np.ndarray: _encode_ndarray,
}

DECODERS: dict[str, Callable[[Any], Any]] = {
    "Timestamp": _decode_timestamp,
    "Timedelta": lambda form: pd.Timedelta(np.int64(form["v"]).view(f"timedelta64[{form['unit']}]")),
    "NaT": lambda _: pd.NaT,
    "NA": lambda _: pd.NA,
    "Interval": lambda form: pd.Interval(decode(form["v"][0]), decode(form["v"][1]), closed=form["closed"]),
    "Series": _decode_series,
    "DataFrame": _decode_frame,
    "RangeIndex": lambda form: pd.RangeIndex(range(*form["v"]), name=decode(form["name"])),
    "MultiIndex": lambda form: pd.MultiIndex(
        levels=[decode(level) for level in form["levels"]], codes=form["codes"], names=decode(form["names"])
    ),
    "Index": _decode_index,
    "array": _decode_array,
    "ndarray": _decode_ndarray,
    "np": _decode_numpy_scalar,
    "dtype": _decode_dtype,
    "category": _decode_category,
}

FAMILIES: list[tuple[tuple[type, ...], Callable[[Any], Any]]] = [
    ((np.generic,), _encode_numpy_scalar),
    ((pd.Index,), _encode_index),
    (
        (pd.api.extensions.ExtensionArray,),
        lambda value: {"$": "array", "dtype": encode(value.dtype), "v": _encode_values(value)},
    ),
    ((np.dtype, pd.api.extensions.ExtensionDtype), _encode_dtype),
]
