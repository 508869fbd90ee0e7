"""Python's own types as plain JSON: containers, times, patterns, and classes and functions by name."""

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

from .compat import UTC
from .plain_core import NotPlain, decode, encode

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


def _encode_datetime(value: Any) -> Any:
    zone = None if value.tzinfo is None else zone_name(value.tzinfo)
    return {"$": "datetime", "v": value.replace(tzinfo=None).isoformat(), "tz": zone, "fold": value.fold}


def _encode_time(value: Any) -> Any:
    if value.tzinfo is not None:
        raise NotPlain("a time of day with a zone is not plain data")
    return {"$": "time", "v": value.isoformat()}


def zone_name(zone: dt.tzinfo) -> str:
    name = getattr(zone, "key", None)
    if isinstance(name, str):
        return name
    if type(zone) is dt.timezone:
        return str(zone)
    if type(zone).__module__.partition(".")[0] == "pytz":  # what pandas before 3 makes of a zone's name
        return _pytz_name(zone)
    raise NotPlain(f"the time zone {zone!r} is not plain data")


def _pytz_name(zone: Any) -> str:
    name = getattr(zone, "zone", None)
    if isinstance(name, str):
        return name
    # A fixed offset has no name of its own.
    return str(dt.timezone(zone.utcoffset(None)))


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


def _decode_datetime(form: Any) -> Any:
    moment = dt.datetime.fromisoformat(form["v"]).replace(fold=form["fold"])
    return moment if form["tz"] is None else moment.replace(tzinfo=zone_of(form["tz"]))


def zone_of(name: str) -> dt.tzinfo:
    match = re.fullmatch(r"UTC(?:([+-])(\d\d):(\d\d))?", name)
    if match is None or name == "UTC":
        import zoneinfo

        return UTC if name == "UTC" else zoneinfo.ZoneInfo(name)
    minutes = int(match[2]) * 60 + int(match[3])
    return dt.timezone(dt.timedelta(minutes=-minutes if match[1] == "-" else minutes))


ENCODERS: dict[type, Callable[[Any], Any]] = {
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
    type(Ellipsis): lambda _: {"$": "..."},
}

DECODERS: dict[str, Callable[[Any], Any]] = {
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
    "tz": lambda form: zone_of(form["v"]),
    "ref": _decode_reference,
    "...": lambda _: Ellipsis,
}

FAMILIES: list[tuple[tuple[type, ...], Callable[[Any], Any]]] = [
    ((dt.tzinfo,), lambda value: {"$": "tz", "v": zone_name(value)}),
    ((type, types.FunctionType, types.BuiltinFunctionType, np.ufunc), _encode_reference),
]
