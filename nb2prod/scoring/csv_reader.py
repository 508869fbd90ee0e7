"""CSV files: every column as texts, which the signature reads; lines that are no rows are told by number."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from nb2prod.errors import InputError
from nb2prod.runtime.batch import texts
from nb2prod.scoring.places import InputFile
from nb2prod.scoring.readers import Batch, BrokenLine, batch_rows

_SEPARATORS = ",;\t|"
_BLOCK = 1 << 23
_HEAD = 1 << 20
_COMPRESSED = {"gz": "gzip", "bz2": "bz2", "zst": "zstd", "lz4": "lz4"}
_END = "\x00nb2prod: the end\x00"
_CUT = "the file ends within quotes: it may be cut short"


class CsvReader:
    """A CSV file of UTF-8 with a line of names, compressed or not. Values may be quoted, quotes within are doubled.

    The separator is the one of `, ; tab |` that parts the line of names most often.
    """

    def __init__(self, source: pa.NativeFile, file: InputFile) -> None:
        self._raw, self._file = source, file
        self._text = _Text(source, _COMPRESSED.get(file.path.rpartition(".")[2].lower()))
        head = _line_of_names(self._text.head, file)
        self._separator = max(_SEPARATORS, key=lambda separator: _parted(head, separator, count=True))
        self._names = _parted(head, self._separator)
        self.schema = pa.schema([texts.field(name) for name in self._names])
        self._broken: list[BrokenLine] = []
        self._whole = False
        """Whether our last line was met where it should be."""

    def batches(self, columns: Sequence[str], first: int) -> Iterator[Batch]:
        """The rows from number `first` on; those before are read too, for only reading tells where they end."""
        reader = pyarrow.csv.open_csv(
            self._text,
            # In one thread: else no line's number is known.
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._separator, newlines_in_values=True, invalid_row_handler=self._skip
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=False,
                include_columns=list(columns),
            ),
        )
        schema = pa.schema([texts.field(name) for name in columns])
        size = batch_rows(len(columns))
        following = 0
        before: Batch | None = None
        for found in reader:
            table = pa.Table.from_batches([found]).cast(schema)
            for start in range(0, table.num_rows, size):
                batch = self._numbered(table.slice(start, size), following)
                following = int(batch.rows[-1]) + 1
                yield from _from(before, first)
                before = batch
        if before is not None and not self._whole:
            before = self._without_last(before)
        made = before or Batch(schema.empty_table(), np.arange(0))
        yield from _from(Batch(made.table, made.rows, (*made.broken, *self._broken)), first)

    def _skip(self, line: Any) -> str:
        """Answers pyarrow about a line with too many or too few values. It may be asked well ahead of the batches."""
        self._whole = self._whole or line.text.endswith(_END)
        if line.text != _END:
            counts = f"the line has {line.actual_columns} values, and the table {line.expected_columns} columns"
            # Lines are counted from 1, with that of the names.
            self._broken.append(BrokenLine(line.number - 2, _CUT if line.text.endswith(_END) else counts))
        return "skip"

    def _without_last(self, batch: Batch) -> Batch:
        """Without the row that our line is in, or is itself in a table of one column."""
        *_, last = batch.rows.tolist()
        ours = len(self._names) == 1 and batch.table.column(0)[-1].as_py() == _END
        broken = () if ours else (BrokenLine(last, _CUT),)
        return Batch(batch.table.slice(0, len(batch.rows) - 1), batch.rows[:-1], (*batch.broken, *broken))

    def _numbered(self, table: pa.Table, following: int) -> Batch:
        among = [line.row for line in self._broken if line.row < following + table.num_rows + len(self._broken)]
        candidates = np.arange(following, following + table.num_rows + len(among))
        rows = candidates[~np.isin(candidates, among)][: table.num_rows] if among else candidates
        last = int(rows[-1])
        broken = tuple(line for line in self._broken if line.row < last)
        self._broken = [line for line in self._broken if line.row > last]
        return Batch(table, rows, broken)

    def fraction(self) -> float:
        """By bytes of the file as it lies there."""
        return float(self._raw.tell()) / max(1, self._file.size)


def _from(batch: Batch | None, first: int) -> Iterator[Batch]:
    """What of the batch is not before the row number `first`."""
    if batch is None:
        return
    start = int(np.searchsorted(batch.rows, first))
    broken = tuple(line for line in batch.broken if line.row >= first)
    if start < len(batch.rows) or broken:
        yield Batch(batch.table.slice(start), batch.rows[start:], broken)


class _Text(io.RawIOBase):
    """The file's text as bytes, with a line of ours after its last: a value whose quotes were never closed takes that line in."""

    def __init__(self, source: pa.NativeFile, codec: str | None) -> None:
        super().__init__()
        self._source = pa.CompressedInputStream(source, codec) if codec else source
        self.head: bytes = self._source.read(_HEAD).removeprefix(codecs.BOM_UTF8)
        """The beginning of the text; it is read all the same."""
        self._ahead: bytes = self.head
        self._ended = False

    def readable(self) -> bool:
        """As the interface asks."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, so many as long as there are: a block that is shorter is taken for the last."""
        parts: list[bytes] = []
        while size > 0 and (part := self._next(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _next(self, size: int) -> bytes:
        if not self._ahead and not self._ended:
            self._ahead = self._source.read(size)
            if not self._ahead:
                self._ended = True
                self._ahead = f"\n{_END}\n".encode()
        part, self._ahead = self._ahead[:size], self._ahead[size:]
        return part


def _line_of_names(head: bytes, file: InputFile) -> str:
    if not head.strip():
        raise InputError(f"{file.name} is empty", "A CSV file has a line of names.")
    try:
        return head.decode("utf-8", errors="strict" if len(head) < _HEAD else "ignore")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{file.name} is no text in UTF-8 (byte {error.start})", "Tables are Parquet, Arrow, or CSV in UTF-8."
        ) from error


def _parted(head: str, separator: str, *, count: bool = False) -> Any:
    """The names in the first line, or how many there are."""
    names = next(csv.reader(io.StringIO(head), delimiter=separator), [])
    return len(names) if count else names
