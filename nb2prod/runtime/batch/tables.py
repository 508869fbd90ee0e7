"""Whole tables by the signature: what `rows.Decoder` is to a request, by columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..columns import codec_of
from ..rows import Problem
from ..signature import Column, Signature
from . import texts
from .casting import CastColumn, cast, taken


class TableProblem(Exception):
    """A table that can't be scored as a whole; the text names the column and what was expected."""


@dataclass(frozen=True)
class CastRows:
    """Rows whose values are checked: what `rows.Rows` is to a request, by columns."""

    columns: tuple[CastColumn, ...]
    count: int

    def take(self, positions: Sequence[int]) -> CastRows:
        """The rows at these positions."""
        return CastRows(tuple(column.take(positions) for column in self.columns), len(positions))


@dataclass(frozen=True)
class CastTable:
    """A table's good rows with their positions in it, and what is wrong with the others."""

    rows: CastRows
    positions: Sequence[int]
    count: int
    problems: tuple[Problem, ...] = ()


class TableDecoder:
    """Casts tables by one signature.

    Raises:
        SignatureProblem: a column can't be served.
    """

    def __init__(self, signature: Signature) -> None:
        self.fields = signature.fields
        self._columns = signature.columns
        self._codecs = [codec_of(column) for column in self.fields]
        self._at = {column.key: at for at, column in enumerate(self.fields)}
        self._constant = {column.key: _constant(column) for column in signature.columns if not column.field}

    def cast(self, table: pa.Table) -> CastTable:
        """Check and cast a table; columns that are no fields are left aside.

        Raises:
            TableProblem: a field is missing, is there twice, or has a type that can't be read.
        """
        self.check_names(table.schema.names)
        columns = []
        bad: dict[int, list[Problem]] = {}
        for codec in self._codecs:
            key = codec.column.key
            at = table.schema.get_field_index(key)
            try:
                column, wrong = cast(codec, table.column(at), is_text=texts.marked(table.schema.field(at)))
            except pa.ArrowNotImplementedError as error:
                raise TableProblem(f"the column {key!r} of type {table.schema.field(at).type} can't be read") from error
            columns.append(column)
            for position, reason in wrong.items():
                bad.setdefault(position, []).append(Problem(position, key, reason))
        rows = CastRows(tuple(columns), table.num_rows)
        if not bad:
            return CastTable(rows, range(table.num_rows), table.num_rows)
        good = [position for position in range(table.num_rows) if position not in bad]
        problems = tuple(problem for position in sorted(bad) for problem in bad[position])
        return CastTable(rows.take(good), good, table.num_rows, problems)

    def check_names(self, names: Sequence[str]) -> None:
        """Raise `TableProblem` unless each field is among these names of columns, once."""
        lacking = [repr(column.key) for column in self.fields if column.key not in names]
        if lacking:
            raise TableProblem(f"the table has no column {', '.join(lacking)}")
        twice = [repr(column.key) for column in self.fields if names.count(column.key) > 1]
        if twice:
            raise TableProblem(f"the table has two columns {', '.join(twice)}")

    def frame(self, rows: CastRows) -> pd.DataFrame:
        """The raw table of these rows, with a fresh RangeIndex."""
        made: dict[Any, Any] = {}
        for column in self._columns:
            if column.field:
                made[column.name] = rows.columns[self._at[column.key]].array()
            else:
                made[column.name] = taken(self._constant[column.key], np.zeros(rows.count, dtype=np.intp))
        return pd.DataFrame(made, index=pd.RangeIndex(rows.count), copy=False)

    def parts(self, rows: CastRows) -> list[Sequence[int]]:
        """Positions of rows that can share a table: see `rows.Decoder.parts`."""
        widening = [column.nulls for column in rows.columns if column.codec.widens and column.nulls.any()]
        if not widening:
            return [range(rows.count)]
        _, kinds = np.unique(np.stack(widening, axis=1), axis=0, return_inverse=True)
        return [np.flatnonzero(kinds.ravel() == kind).tolist() for kind in range(int(kinds.max()) + 1)]


def table_of(frame: pd.DataFrame) -> pa.Table:
    """A pandas frame as an Arrow table, without its index. Raises `TableProblem` for a column that holds values of several types."""
    columns = []
    for at, name in enumerate(frame.columns):
        try:
            columns.append(pa.array(frame.iloc[:, at], from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise TableProblem(f"the column {str(name)!r} holds values of several types: {error}") from error
    return pa.Table.from_arrays(columns, names=list(map(str, frame.columns)))


def _constant(column: Column) -> Any:
    codec = codec_of(column)
    return codec.array([None if column.phantom is None else codec.checked(column.phantom)])
