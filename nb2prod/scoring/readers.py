"""Files of tables, read in order by batches of bounded size: Parquet, Arrow and CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nb2prod.errors import InputError
from nb2prod.runtime.batch import texts
from nb2prod.scoring.places import InputFile

ROWS = 1 << 16
CELLS = 1 << 22
"""A batch has at most so many rows, and of a wide table so many cells."""
_LEAST = 1 << 10
_BUFFER = 1 << 20


@dataclass(frozen=True)
class BrokenLine:
    """A line of the file that is no row of the table: its number among the rows, and why."""

    row: int
    reason: str


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: a table, the number of each row in the file (from 0), and lines among them that are none."""

    table: pa.Table
    rows: np.ndarray[Any, np.dtype[np.int64]]
    broken: tuple[BrokenLine, ...] = ()


class TableReader(Protocol):
    """An open file of a table. Its `schema` marks columns of texts (`runtime.batch.texts`)."""

    schema: pa.Schema

    def batches(self, columns: Sequence[str], first: int) -> Iterator[Batch]:
        """The rows from number `first` on, these columns of them."""

    def fraction(self) -> float:
        """How much of the file was read, from 0 to 1."""


@contextmanager
def opened(file: InputFile) -> Iterator[TableReader]:
    """Open a file, whatever it is: its first bytes tell Parquet and Arrow, else it is CSV.

    Raises `InputError`, also while it is read, where it is cut short or of another kind.
    """
    from nb2prod.scoring.csv_reader import CsvReader

    try:
        with file.filesystem.open_input_file(file.path) as source:
            head = source.read(6)
            source.seek(0)
            reader: TableReader
            if head[:4] == b"PAR1":
                reader = ParquetReader(source)
            elif head == b"ARROW1" or head[:4] == b"\xff\xff\xff\xff":
                reader = ArrowReader(source, is_file=head == b"ARROW1", size=file.size)
            else:
                reader = CsvReader(source, file)
            yield reader
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeError) as error:
        raise InputError(
            f"{file.name} can't be read: {str(error).splitlines()[0]}",
            "It may be cut short, or be of another kind than Parquet, Arrow or CSV in UTF-8.",
        ) from error
    except (OSError, EOFError) as error:
        raise InputError(f"{file.name} can't be read: {error}") from error


def batch_rows(columns: int) -> int:
    """Rows of a batch of so many columns."""
    return max(_LEAST, min(ROWS, CELLS // max(1, columns)))


class ParquetReader:
    """Reads from the row group on that the wanted row is in."""

    def __init__(self, source: pa.NativeFile) -> None:
        self._file = pq.ParquetFile(source, buffer_size=_BUFFER, pre_buffer=False)
        self.schema = self._file.schema_arrow
        self._read = 0

    def batches(self, columns: Sequence[str], first: int) -> Iterator[Batch]:
        """The rows from number `first` on."""
        metadata = self._file.metadata
        at, group = 0, 0
        while group < metadata.num_row_groups and at + metadata.row_group(group).num_rows <= first:
            at += metadata.row_group(group).num_rows
            group += 1
        groups = range(group, metadata.num_row_groups)
        size = batch_rows(len(columns))
        for found in self._file.iter_batches(batch_size=size, row_groups=groups, columns=list(columns)):
            batch = found.slice(max(0, first - at))
            at += found.num_rows
            self._read = at
            if batch.num_rows:
                yield Batch(pa.Table.from_batches([batch]), np.arange(at - batch.num_rows, at))

    def fraction(self) -> float:
        """By rows."""
        return self._read / max(1, int(self._file.metadata.num_rows))


class ArrowReader:
    """Arrow's file format (Feather) and its stream."""

    def __init__(self, source: pa.NativeFile, *, is_file: bool, size: int) -> None:
        self._source, self._size = source, size
        self._reader = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        self._is_file = is_file
        self.schema = self._reader.schema

    def batches(self, columns: Sequence[str], first: int) -> Iterator[Batch]:
        """The rows from number `first` on."""
        at = 0
        size = batch_rows(len(columns))
        for found in self._found():
            for start in range(max(0, first - at), found.num_rows, size):
                part = pa.Table.from_batches([found.slice(start, size)]).select(list(columns))
                yield Batch(part, np.arange(at + start, at + start + part.num_rows))
            at += found.num_rows

    def _found(self) -> Iterator[pa.RecordBatch]:
        if self._is_file:
            yield from (self._reader.get_batch(number) for number in range(self._reader.num_record_batches))
        else:
            yield from self._reader

    def fraction(self) -> float:
        """By bytes."""
        return float(self._source.tell()) / max(1, self._size)


def with_folders(batch: Batch, file: InputFile, columns: Sequence[str]) -> Batch:
    """The batch with those of the columns that the names of the file's folders tell."""
    table = batch.table
    for name in columns:
        if name not in table.schema.names:
            values = pa.array([file.folders[name]], pa.string()).take(pa.array(np.zeros(table.num_rows, dtype="int64")))
            table = table.append_column(texts.field(name), values)
    return Batch(table, batch.rows, batch.broken)
