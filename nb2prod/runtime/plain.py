"""Plain values as JSON, with their exact types.

What JSON knows is written as it is; everything else is an object with the tag ``"$"``::

    {"$": "tuple", "v": [1, 2]}        {"$": "float", "v": "nan"}
    {"$": "np", "t": "int64", "v": 3}  {"$": "Timestamp", "v": <integer>, "unit": "us", "tz": "UTC"}

``encode`` takes exact types only (a subclass of ``dict`` is not a ``dict``), so that ``decode`` gives back an
equal value of the same type or nothing was written at all.
"""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import importlib
import json
import math
import re
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

OBJECT = np.dtype(object)
LARGEST = 100_000
"""Arrays with more entries than this belong in a file format of their own."""

REFERENCED = {
    "builtins", "collections", "datetime", "decimal", "features", "math", "numpy", "operator", "pandas", "re",
    "scipy", "sklearn", "statistics",
}  # fmt: skip
"""Roots of the modules whose classes and functions may be written by name."""

SAFE_BUILTINS = {
    "abs", "all", "any", "bool", "bytes", "complex", "dict", "divmod", "enumerate", "float", "frozenset", "hash", "int",
    "isinstance", "len", "list", "map", "max", "min", "object", "pow", "range", "repr", "reversed", "round", "set",
    "sorted", "str", "sum", "tuple", "type", "zip",
}  # fmt: skip


class NotPlain(Exception):
    """The value, or something inside it, is not plain data; the text says what."""


def dumps(value: object) -> bytes:
    """The value as JSON text.

    Raises:
        NotPlain: something in it has a type that this format doesn't know.
    """
    try:
        text = json.dumps(encode(value), allow_nan=False, separators=(",", ":"))
    except RecursionError as error:
        raise NotPlain("it contains itself or is nested too deeply") from error
    return text.encode("ascii")


def loads(data: bytes) -> Any:
    """The value that ``dumps`` was given."""
    return decode(json.loads(data))


def encode(value: object) -> Any:
    """The value as what ``json`` can write; see the module's docstring for the form.

    Raises:
        NotPlain: the value has a type that this format doesn't know.
    """
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        return encoder(value)
    if isinstance(value, np.generic):
        return _encode_numpy_scalar(value)
    if isinstance(value, pd.Index):
        return _encode_index(value)
    if isinstance(value, pd.api.extensions.ExtensionArray):
        return {"$": "array", "dtype": encode(value.dtype), "v": _encode_values(value)}
    if isinstance(value, (np.dtype, pd.api.extensions.ExtensionDtype)):
        return _encode_dtype(value)
    if isinstance(value, dt.tzinfo):
        return {"$": "tz", "v": _zone(value)}
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType, np.ufunc)):
        return _encode_reference(value)
    raise NotPlain(f"{kind.__module__}.{kind.__qualname__} is not plain data")


def decode(form: Any) -> Any:
    """The value that ``encode`` was given."""
    if type(form) is list:
        return [decode(item) for item in form]
    if type(form) is dict:
        tag = form.get("$")
        if tag is None:
            return {key: decode(item) for key, item in form.items()}
        return _DECODERS[tag](form)
    return form


# -- encoders --------------------------------------------------------------------------------------------------------


def _encode_float(value: Any) -> Any:
    return value if math.isfinite(value) else {"$": "float", "v": repr(value)}


def _encode_list(value: Any) -> Any:
    return [encode(item) for item in value]


def _encode_dict(value: Any) -> Any:
    if all(type(key) is str for key in value) and "$" not in value:
        return {key: encode(item) for key, item in value.items()}
    return {"$": "dict", "v": [[encode(key), encode(item)] for key, item in value.items()]}


def _encode_pairs(tag: str) -> Callable[[Any], Any]:
    return lambda value: {"$": tag, "v": [[encode(key), encode(item)] for key, item in value.items()]}


def _encode_defaultdict(value: Any) -> Any:
    pairs = [[encode(key), encode(item)] for key, item in value.items()]
    return {"$": "defaultdict", "factory": encode(value.default_factory), "v": pairs}


def _encode_set(tag: str) -> Callable[[Any], Any]:
    # Sorted by their text: the order of a set depends on the process's hash seed, the file must not.
    def encoder(value: Any) -> Any:
        return {"$": tag, "v": sorted((encode(item) for item in value), key=json.dumps)}

    return encoder


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
        if value.categories is None:
            return {"$": "category", "categories": None, "ordered": bool(value.ordered)}
        return {"$": "category", "categories": encode(value.categories), "ordered": bool(value.ordered)}
    if isinstance(value, np.dtype):
        if value.names is not None:
            raise NotPlain("a structured dtype is not plain data")
        return {"$": "dtype", "numpy": True, "v": value.str}
    text = str(value)
    try:
        same = pd.api.types.pandas_dtype(text) == value
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
    zone = None if value.tzinfo is None else _zone(value.tzinfo)
    return {"$": "Timestamp", "v": int(value._value), "unit": value.unit, "tz": zone}


def _encode_datetime(value: Any) -> Any:
    zone = None if value.tzinfo is None else _zone(value.tzinfo)
    return {"$": "datetime", "v": value.replace(tzinfo=None).isoformat(), "tz": zone, "fold": value.fold}


def _encode_time(value: Any) -> Any:
    if value.tzinfo is not None:
        raise NotPlain("a time of day with a zone is not plain data")
    return {"$": "time", "v": value.isoformat()}


def _zone(zone: dt.tzinfo) -> str:
    name = getattr(zone, "key", None)
    if isinstance(name, str):
        return name
    if type(zone) is dt.timezone:
        return str(zone)
    raise NotPlain(f"the time zone {zone!r} is not plain data")


def _encode_reference(value: Any) -> Any:
    module, name = getattr(value, "__module__", None) or "", getattr(value, "__qualname__", "")
    if isinstance(value, np.ufunc):
        module, name = "numpy", value.__name__
    root = module.partition(".")[0]
    if root not in REFERENCED or not name or (root == "builtins" and name not in SAFE_BUILTINS):
        raise NotPlain(f"{module}.{name} can't be written by name")
    if root != "features" and _resolve(module, name) is not value:
        raise NotPlain(f"{module}.{name} is not found under that name")
    return {"$": "ref", "v": f"{module}:{name}"}


# -- decoders --------------------------------------------------------------------------------------------------------


def _resolve(module: str, name: str) -> Any:
    if module.partition(".")[0] not in REFERENCED:
        raise ValueError(f"{module}:{name} may not be loaded by name")
    if module == "builtins" and name not in SAFE_BUILTINS:
        raise ValueError(f"{module}:{name} may not be loaded by name")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found


def _decode_reference(form: Any) -> Any:
    module, _, name = form["v"].partition(":")
    found = _resolve(module, name)
    if found is None:
        raise ValueError(f"{module}:{name} can't be imported")
    return found


def _decode_pairs(form: Any) -> dict[Any, Any]:
    return {decode(key): decode(item) for key, item in form["v"]}


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
    categories = None if form["categories"] is None else decode(form["categories"])
    return pd.CategoricalDtype(categories, ordered=form["ordered"])


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
    return pd.arrays.NumpyExtensionArray(values)


def _decode_series(form: Any) -> Any:
    series = as_series(decode(form["v"]), decode(form["index"]))
    series.name = decode(form["name"])
    return series


def as_series(array: Any, index: pd.Index) -> pd.Series[Any]:
    """A Series of just these values; strings in an array of objects stay objects."""
    values = array.to_numpy() if isinstance(array, pd.arrays.NumpyExtensionArray) else array
    return pd.Series(values, index=index, dtype=object if values.dtype == OBJECT else None, copy=False)


def _decode_frame(form: Any) -> Any:
    index, columns = decode(form["index"]), decode(form["columns"])
    arrays = {position: as_series(decode(item), index) for position, item in enumerate(form["v"])}
    frame = pd.DataFrame(arrays, index=index)
    frame.columns = columns
    return frame


def _decode_timestamp(form: Any) -> Any:
    moment = pd.Timestamp(np.int64(form["v"]).view(f"datetime64[{form['unit']}]"))
    return moment if form["tz"] is None else moment.tz_localize("UTC").tz_convert(_decode_zone(form["tz"]))


def _decode_datetime(form: Any) -> Any:
    moment = dt.datetime.fromisoformat(form["v"]).replace(fold=form["fold"])
    return moment if form["tz"] is None else moment.replace(tzinfo=_decode_zone(form["tz"]))


def _decode_zone(name: str) -> dt.tzinfo:
    match = re.fullmatch(r"UTC(?:([+-])(\d\d):(\d\d))?", name)
    if match is None or name == "UTC":
        import zoneinfo

        return dt.UTC if name == "UTC" else zoneinfo.ZoneInfo(name)
    minutes = int(match[2]) * 60 + int(match[3])
    return dt.timezone(dt.timedelta(minutes=-minutes if match[1] == "-" else minutes))


_ENCODERS: dict[type, Callable[[Any], Any]] = {
    float: _encode_float,
    list: _encode_list,
    tuple: lambda value: {"$": "tuple", "v": _encode_list(value)},
    dict: _encode_dict,
    set: _encode_set("set"),
    frozenset: _encode_set("frozenset"),
    collections.OrderedDict: _encode_pairs("OrderedDict"),
    collections.Counter: _encode_pairs("Counter"),
    collections.defaultdict: _encode_defaultdict,
    bytes: lambda value: {"$": "bytes", "v": value.hex()},
    complex: lambda value: {"$": "complex", "v": [encode(value.real), encode(value.imag)]},
    range: lambda value: {"$": "range", "v": [value.start, value.stop, value.step]},
    slice: lambda value: {"$": "slice", "v": [encode(value.start), encode(value.stop), encode(value.step)]},
    decimal.Decimal: lambda value: {"$": "Decimal", "v": str(value)},
    dt.date: lambda value: {"$": "date", "v": value.isoformat()},
    dt.datetime: _encode_datetime,
    dt.time: _encode_time,
    dt.timedelta: lambda value: {"$": "timedelta", "v": [value.days, value.seconds, value.microseconds]},
    re.Pattern: lambda value: {"$": "re", "v": encode(value.pattern), "flags": value.flags},
    pd.Timestamp: _encode_timestamp,
    pd.Timedelta: lambda value: {"$": "Timedelta", "v": int(value._value), "unit": value.unit},
    type(pd.NaT): lambda _: {"$": "NaT"},
    type(pd.NA): lambda _: {"$": "NA"},
    pd.Interval: lambda value: {
        "$": "Interval",
        "v": [encode(value.left), encode(value.right)],
        "closed": value.closed,
    },
    pd.Series: _encode_series,
    pd.DataFrame: _encode_frame,
    pd.arrays.NumpyExtensionArray: _encode_numpy_backed,
    np.ndarray: _encode_ndarray,
    type(Ellipsis): lambda _: {"$": "..."},
}

_DECODERS: dict[str, Callable[[Any], Any]] = {
    "float": lambda form: float(form["v"]),
    "tuple": lambda form: tuple(decode(item) for item in form["v"]),
    "dict": _decode_pairs,
    "set": lambda form: {decode(item) for item in form["v"]},
    "frozenset": lambda form: frozenset(decode(item) for item in form["v"]),
    "OrderedDict": lambda form: collections.OrderedDict(_decode_pairs(form)),
    "Counter": lambda form: collections.Counter(_decode_pairs(form)),
    "defaultdict": lambda form: collections.defaultdict(decode(form["factory"]), _decode_pairs(form)),
    "bytes": lambda form: bytes.fromhex(form["v"]),
    "complex": lambda form: complex(decode(form["v"][0]), decode(form["v"][1])),
    "range": lambda form: range(*form["v"]),
    "slice": lambda form: slice(*(decode(item) for item in form["v"])),
    "Decimal": lambda form: decimal.Decimal(form["v"]),
    "date": lambda form: dt.date.fromisoformat(form["v"]),
    "datetime": _decode_datetime,
    "time": lambda form: dt.time.fromisoformat(form["v"]),
    "timedelta": lambda form: dt.timedelta(*form["v"]),
    "re": lambda form: re.compile(decode(form["v"]), form["flags"]),
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
    "tz": lambda form: _decode_zone(form["v"]),
    "ref": _decode_reference,
    "...": lambda _: Ellipsis,
}
