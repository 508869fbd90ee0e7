"""Plain values as JSON, with their exact types.

What JSON knows is written as it is; everything else is an object with the tag ``"$"``::

    {"$": "tuple", "v": [1, 2]}        {"$": "float", "v": "nan"}
    {"$": "np", "t": "int64", "v": 3}  {"$": "Timestamp", "v": <integer>, "unit": "us", "tz": "UTC"}

``encode`` takes exact types only (a subclass of ``dict`` is not a ``dict``), so that ``decode`` gives back an
equal value of the same type or nothing was written at all.
"""

from __future__ import annotations

import json
from typing import Any

from . import plain_arrays, plain_python
from .plain_arrays import OBJECT, as_series
from .plain_core import NotPlain, decode, encode, register

__all__ = ["OBJECT", "NotPlain", "as_series", "decode", "dumps", "encode", "loads"]

register(plain_python.ENCODERS, plain_python.DECODERS, plain_python.FAMILIES)
register(plain_arrays.ENCODERS, plain_arrays.DECODERS, plain_arrays.FAMILIES)


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
