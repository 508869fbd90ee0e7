"""Columns of texts, as a CSV file or the folders of a partitioned table have them, read by the signature.

A text stands for the JSON value that a request would carry. What it stands for never depends on the other texts of its column: whole columns are
cast only where each text has the plain form of a number, which means the same both ways.
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..columns import ColumnCodec, IntegerCodec, NumberCodec

MARK = {b"nb2prod.text": b"1"}
"""Metadata of a field of a schema: its values are texts to be read by the signature."""
NOTHING = frozenset(
    "|#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null".split("|")
)
"""Texts that stand for a missing value, as `pandas.read_csv` has them by default."""
_PLAIN_INTEGER = r"^-?[0-9]+$"
_PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?$"
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DIGITS = 4_000
"""Python reads no longer integers."""
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def field(name: str) -> pa.Field:
    """A column of texts that are to be read by the signature."""
    return pa.field(name, pa.string(), metadata=MARK)


def marked(field: pa.Field) -> bool:
    """Whether the column's values are such texts."""
    return (field.metadata or {}).keys() >= MARK.keys()


def read(codec: ColumnCodec, array: pa.Array) -> pa.Array:
    """The column with what is missing as null, and as numbers where all of it are plain ones; else still as texts."""
    known = {value for value in codec.column.categories or () if isinstance(value, str)}
    missing = pc.is_in(array, value_set=pa.array(sorted(NOTHING - known), type=array.type))
    array = pc.if_else(missing, pa.scalar(None, type=array.type), array)
    if isinstance(codec, IntegerCodec):
        return _cast_if_all(array, _PLAIN_INTEGER, pa.int64())
    if isinstance(codec, NumberCodec):
        return _cast_if_all(array, _PLAIN_NUMBER, pa.float64())
    return array


def _cast_if_all(array: pa.Array, pattern: str, kind: pa.DataType) -> pa.Array:
    if pc.all(pc.match_substring_regex(array, pattern)).as_py() is False:
        return array
    try:
        return array.cast(kind)
    except pa.ArrowInvalid:  # larger than that type holds
        return array


def json_value(text: str, codec: ColumnCodec) -> Any:
    """The JSON value that a request would carry for this text in this column; the text itself where it is no value of the column's type."""
    kind = codec.column.type
    plain = text.strip()
    if kind == "boolean":
        return _TRUTHS.get(plain, text)
    if kind == "any" and plain in _TRUTHS:
        return _TRUTHS[plain]
    if kind not in ("integer", "number", "any") or not _NUMBER.fullmatch(plain):
        return text
    if kind != "number" and _INTEGER.fullmatch(plain) and len(plain) < _DIGITS:
        return int(plain)
    return float(plain)
