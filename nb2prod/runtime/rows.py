"""A request's rows between JSON and the raw table.

``Decoder.parse`` checks a body by the type matrix and gives *ready* columns (see ``columns``); ``Decoder.frame`` makes
the raw table of them: every raw column, in training's order and dtypes. Ready columns of several requests can be
joined before that. A well-formed request takes the fast way (msgspec checks a whole row at once); anything else is
looked at value by value, so that one answer lists all that is wrong.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any

import msgspec
import pandas as pd

from .columns import Refused, codec_of
from .encoding import encode
from .signature import Column, Signature

__all__ = ["Decoded", "Decoder", "MalformedBody", "Problem", "Rows", "decode", "encode"]

_LONGEST_NAME = 100
_MOST_PROBLEMS = 1_000


class MalformedBody(Exception):
    """The body is not JSON."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one value, one row, or (row None) the request. Never holds a value."""

    row: int | None
    field: str | None
    reason: str


@dataclass(frozen=True)
class Rows:
    """Ready values: one list per field, in the signature's order."""

    columns: tuple[list[Any], ...]
    count: int

    def take(self, positions: Sequence[int]) -> Rows:
        """The rows at these positions."""
        return Rows(tuple([column[position] for position in positions] for column in self.columns), len(positions))

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """The rows of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        columns = tuple(
            [value for column in columns for value in column]
            for columns in zip(*(p.columns for p in parts), strict=True)
        )
        return Rows(columns, sum(part.count for part in parts))


@dataclass(frozen=True)
class Decoded:
    """A request's good rows with their positions in the request, and what is wrong with the others."""

    rows: Rows
    positions: Sequence[int]
    count: int
    problems: tuple[Problem, ...] = ()
    decoder: Decoder | None = field(default=None, repr=False)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The good rows as the raw table."""
        assert self.decoder is not None
        return self.decoder.frame(self.rows)


class Decoder:
    """Decodes requests by one signature.

    Args:
        signature: the raw table's columns.
        phantoms: other JSON values for columns that a request doesn't give; used to prove that they don't matter.

    Raises:
        SignatureProblem: a column can't be served.
        Refused: a phantom isn't a value of its column.
    """

    def __init__(self, signature: Signature, phantoms: Mapping[str, Any] | None = None) -> None:
        self.fields = signature.fields
        self._codecs = [codec_of(column) for column in self.fields]
        self._keys = {column.key: position for position, column in enumerate(self.fields)}
        self._widening = [position for position, codec in enumerate(self._codecs) if codec.widens]
        self._columns = signature.columns
        self._phantoms = {
            column.key: _Phantom(column, (phantoms or {}).get(column.key, column.phantom))
            for column in signature.columns
            if not column.field
        }
        self._fast = self._fast_decoder()
        # In C: five times as fast as `getattr` in a loop, for each value of a request.
        self._getters = [(attrgetter(f"f{at}"), codec) for at, codec in enumerate(self._codecs)]
        self._slow = msgspec.json.Decoder(float_hook=float)

    def parse(self, body: bytes | bytearray) -> Decoded:
        """Check a request's body.

        Raises:
            MalformedBody: it is not JSON.
        """
        if self._fast is not None:
            try:
                rows = self._fast.decode(body).rows
                columns = [codec.ready(list(map(get, rows))) for get, codec in self._getters]
                return Decoded(Rows(tuple(columns), len(rows)), range(len(rows)), len(rows), (), self)
            except (msgspec.DecodeError, Refused, RecursionError):
                pass  # the slow way says what it is
        return self.check(self._json(body))

    def check(self, request: Any) -> Decoded:
        """Check a decoded body value by value; all problems are listed."""
        if not isinstance(request, dict) or not isinstance(request.get("rows"), list):
            return self._refused(
                Problem(None, None, 'expected an object such as {"rows": [{...}]} with a list of rows')
            )
        others = [name for name in request if name != "rows"]
        if others:
            return self._refused(*(Problem(None, _shown(name), "unknown; expected only 'rows'") for name in others))
        good: list[list[Any]] = []
        positions: list[int] = []
        problems: list[Problem] = []
        for position, row in enumerate(request["rows"]):
            values = self._row(position, row, problems)
            if values is not None:
                good.append(values)
                positions.append(position)
        columns = tuple(list(column) for column in zip(*good, strict=True)) if good else tuple([] for _ in self.fields)
        rows = Rows(columns, len(good))
        return Decoded(rows, positions, len(request["rows"]), tuple(problems[:_MOST_PROBLEMS]), self)

    def frame(self, rows: Rows) -> pd.DataFrame:
        """The raw table of ready rows, with a fresh RangeIndex."""
        made: dict[Any, Any] = {}
        for column in self._columns:
            if column.field:
                position = self._keys[column.key]
                made[column.name] = self._codecs[position].array(rows.columns[position])
            else:
                made[column.name] = self._phantoms[column.key].array(rows.count)
        return pd.DataFrame(made, index=pd.RangeIndex(rows.count), copy=False)

    def parts(self, rows: Rows) -> list[list[int] | range]:
        """Positions of rows that can share a table.

        A null in an integer or boolean column makes it another dtype, as in pandas; rows without one must not see it.
        """
        whole: list[list[int] | range] = [range(rows.count)]
        groups: dict[tuple[bool, ...], list[int]] = {}
        if not any(None in rows.columns[at] for at in self._widening):
            return whole
        for position in range(rows.count):
            key = tuple(rows.columns[at][position] is None for at in self._widening)
            groups.setdefault(key, []).append(position)
        return list(groups.values())

    def _fast_decoder(self) -> Any:
        fields: list[Any] = [(f"f{at}", codec.wire_type()) for at, codec in enumerate(self._codecs)]
        rename = {f"f{at}": column.key for at, column in enumerate(self.fields)}
        try:
            row = msgspec.defstruct("Row", fields, rename=rename, forbid_unknown_fields=True, gc=False)
            request = msgspec.defstruct("Request", [("rows", list[row])], forbid_unknown_fields=True)  # type: ignore[valid-type]
            return msgspec.json.Decoder(request)
        except (ValueError, TypeError):
            return None  # a field name that msgspec can't match, one with a quote for example

    def _json(self, body: bytes | bytearray) -> Any:
        try:
            return self._slow.decode(body)
        except RecursionError:
            raise MalformedBody("the body is nested too deeply") from None
        except msgspec.DecodeError as error:
            if b"NaN" in body or b"Infinity" in body:
                return _lenient(body)
            raise MalformedBody(f"the body is not JSON: {_without_value(error)}") from None

    def _row(self, position: int, row: Any, problems: list[Problem]) -> list[Any] | None:
        if not isinstance(row, dict):
            problems.append(Problem(position, None, "expected an object with the row's fields"))
            return None
        before = len(problems)
        values: list[Any] = []
        for column, codec in zip(self.fields, self._codecs, strict=True):
            if column.key not in row:
                problems.append(Problem(position, column.key, f"missing; expected {codec.expected}"))
                continue
            try:
                values.append(codec.check(row[column.key]))
            except Refused as refused:
                problems.append(Problem(position, column.key, str(refused)))
        unknown = [name for name in row if name not in self._keys]
        problems.extend(Problem(position, _shown(name), self._unknown(name)) for name in unknown)
        return values if len(problems) == before else None

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name[:_LONGEST_NAME], self._keys, n=1)
        if near:
            return f"unknown field; did you mean '{near[0]}'?"
        return "unknown field; GET /signature lists the fields"

    def _refused(self, *problems: Problem) -> Decoded:
        return Decoded(Rows(tuple([] for _ in self.fields), 0), (), 0, problems, self)


class _Phantom:
    """A constant column."""

    def __init__(self, column: Column, value: Any) -> None:
        self._codec = codec_of(column)
        self._value = None if value is None else self._codec.checked(value)

    def array(self, count: int) -> Any:
        return self._codec.array([self._value] * count)


def decode(body: bytes, signature: Signature) -> Decoded:
    """Check one body; for many, keep a ``Decoder``. Raises ``MalformedBody`` if it is not JSON."""
    return Decoder(signature).parse(body)


def _shown(name: Any) -> str:
    return str(name)[:_LONGEST_NAME]


def _lenient(body: bytes | bytearray) -> Any:
    """The body with NaN and Infinity read as numbers, so that the answer can name their fields."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedBody("the body is not JSON (NaN and Infinity are none; send null for a missing value)") from None
    return request


def _without_value(error: Exception) -> str:
    text = str(error)
    return text if text.isascii() and len(text) < 200 else "it can't be read"
