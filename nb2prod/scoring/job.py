"""`nb2prod score`: all rows of some tables, in order: read, answered by all workers at once, written in order, committed part by part."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nb2prod.bento import store
from nb2prod.errors import Cancelled, InputError
from nb2prod.runtime.batch.scoring import ERROR
from nb2prod.runtime.signature import Signature
from nb2prod.scoring import places, readers
from nb2prod.scoring.outputs import Job, Output, PartWriter, rows_done
from nb2prod.scoring.places import InputFile
from nb2prod.scoring.readers import Batch
from nb2prod.scoring.workers import Scored, Workers

PART_ROWS = 1 << 19
_AHEAD = 2
"""Batches that wait for each worker, besides the one that it is at."""
_SHOWN = 5
BROKEN = "line_broken"
"""The code of a line that is no row of the table."""
OURS = ("prediction", "error", "fallback", "release", "file", "row", "field", "code", "reason")
"""Columns of the tables that are written."""


@dataclass(frozen=True)
class Wish:
    """What to score: `tables` in, `out`, the columns that tell which row an answer is of, and how many bad rows (None: any number) end it."""

    tables: tuple[str, ...]
    out: str
    keys: tuple[str, ...] = ()
    max_errors: int | None = None
    workers: int = 1
    part_rows: int = PART_ROWS


@dataclass
class Standing:
    """How far it is: rows answered now and before this run, rows without an answer among all, the share of all bytes, and since when."""

    rows: int = 0
    before: int = 0
    bad: int = 0
    share: float = 0.0
    share_before: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float | None:
        """At this run's pace; None while that is not known."""
        made = self.share - self.share_before
        spent = time.monotonic() - self.began
        return spent * (1 - self.share) / made if made > 0.001 else None


@dataclass(frozen=True)
class Result:
    """What came of it; `complete` unless more rows were bad than may be, of which `reasons` tells the first."""

    bento: str
    out: str
    files: int
    rows: int
    rows_before: int
    bad: int
    seconds: float
    complete: bool = True
    reasons: tuple[str, ...] = ()


def score(bento: Path, wish: Wish, told: Callable[[Standing], None] = lambda standing: None) -> Result:
    """Score the tables by the Bento in this folder.

    `told` hears how far it is. Raises `InputError` for tables that lack a column or can't be read, `EnvironmentProblem` where there is no room or the
    Bento's environment can't be had, `Cancelled` when interrupted: what was committed stays, and the same call goes on from there.
    """
    files = places.files(wish.tables)
    tag = store.read(bento).tag
    columns = _Columns.of(Signature.load(bento / "src" / "signature.json"), wish.keys, files)
    output = Output(wish.out)
    stamps = {file.name: (file.size, file.modified) for file in files}
    with Workers(bento, wish.workers) as workers, output.held(Job(tag, wish.keys, wish.part_rows, stamps)):
        run = _Run(wish, tag, columns, output, workers, told)
        try:
            complete = run.all(files)
        except KeyboardInterrupt:
            done = f"{run.standing.before + run.committed:,} rows are done and kept"
            raise Cancelled(f"interrupted; {done}", "The same command goes on from there.") from None
    standing = run.standing
    seconds = round(time.monotonic() - standing.began, 2)
    return Result(
        *(tag, wish.out, len(files), standing.rows, standing.before, standing.bad, seconds),
        complete=complete,
        reasons=tuple(run.reasons),
    )


@dataclass(frozen=True)
class _Columns:
    """What is read of each file: fields, and keys with the type that the first file has them in."""

    fields: tuple[str, ...]
    keys: pa.Schema

    @property
    def read(self) -> list[str]:
        return list(dict.fromkeys([*self.fields, *self.keys.names]))

    @staticmethod
    def of(signature: Signature, keys: Sequence[str], files: Sequence[InputFile]) -> _Columns:
        """Raises `InputError`, naming them, where files lack a column or have one twice."""
        fields = tuple(column.key for column in signature.fields)
        if taken := [repr(key) for key in keys if key in OURS]:
            raise InputError(
                f"{', '.join(taken)} can't be a key: the table of answers has a column of that name", "Rename it first."
            )
        wanted = [*fields, *(key for key in keys if key not in fields)]
        problems: list[str] = []
        schema: pa.Schema | None = None
        for file in files:
            with readers.opened(file) as reader:
                found = reader.schema
            names = [*found.names, *(name for name in file.folders if name not in found.names)]
            lacking = [repr(name) for name in wanted if name not in names]
            twice = [repr(name) for name in wanted if names.count(name) > 1]
            problems += [f"{file.name} has no column {', '.join(lacking)}"] if lacking else []
            problems += [f"{file.name} has two columns {', '.join(twice)}"] if twice else []
            schema = schema or found
        if problems:
            more = len(problems) - _SHOWN
            raise InputError(
                "\n".join(problems[:_SHOWN]) + (f"\nand so on: {more:,} more files" if more > 0 else ""),
                "The fields are those of GET /signature; keys are the columns named by --key.",
            )
        assert schema is not None
        kinds = [(key, _plain(schema.field(key).type) if key in schema.names else pa.string()) for key in keys]
        return _Columns(fields, pa.schema(kinds))

    def keys_of(self, batch: Batch, file: InputFile) -> list[pa.Array]:
        """The keys of a batch. Raises `InputError` where they are not of the first file's types."""
        made = []
        for key in self.keys:
            try:
                made.append(batch.table.column(key.name).cast(key.type))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise InputError(
                    f"{file.name}: the key {key.name!r} has the type {batch.table.schema.field(key.name).type}, "
                    f"and {key.type} in the first file"
                ) from error
        return made


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


@dataclass(frozen=True)
class _Piece:
    """Some rows of one part: `number` counts the parts of the file; `ends` where they are its last, `last` where they are the file's."""

    file: InputFile
    number: int
    batch: Batch
    ends: bool = False
    last: bool = False


class _Run:
    """One run over the files."""

    def __init__(
        self,
        wish: Wish,
        tag: str,
        columns: _Columns,
        output: Output,
        workers: Workers,
        told: Callable[[Standing], None],
    ) -> None:
        self._wish, self._tag, self._columns = wish, tag, columns
        self._output, self._workers, self._told = output, workers, told
        self.standing = Standing()
        self.committed = 0
        self.reasons: list[str] = []
        self._writer: PartWriter | None = None
        self._in_part = 0

    def all(self, files: Sequence[InputFile]) -> bool:
        """Score what is not done yet; whether that was all, and not too many rows were bad."""
        waiting: deque[tuple[_Piece, float, Future[Scored]]] = deque()
        pool = ThreadPoolExecutor(self._workers.count)
        try:
            with closing(self._pieces(files)) as pieces:
                for piece, share in pieces:
                    waiting.append((piece, share, pool.submit(self._workers.score, _fields(piece, self._columns))))
                    if len(waiting) > self._workers.count * _AHEAD and not self._take(waiting):
                        return False
                while waiting:
                    if not self._take(waiting):
                        return False
            return self._few()
        finally:
            # Interrupted, what waits is given up, and what runs ends with its process.
            pool.shutdown(wait=False, cancel_futures=True)
            if self._writer is not None:
                with suppress(OSError):
                    self._writer.drop()

    def _take(self, waiting: deque[tuple[_Piece, float, Future[Scored]]]) -> bool:
        """Write the first that waits; whether to go on."""
        piece, share, future = waiting.popleft()
        self._write(piece, future.result())
        self.standing.share = max(share, self.standing.share)
        self._told(self.standing)
        return self._few()

    def _few(self) -> bool:
        """Whether no more rows are bad than may be; else what is known of them is kept."""
        most = self._wish.max_errors
        if most is None or self.standing.bad <= most:
            return True
        if self._writer is not None:
            self._writer.keep_errors()
        return False

    # -- reading --

    def _pieces(self, files: Sequence[InputFile]) -> Generator[tuple[_Piece, float], None, None]:
        """What is to be scored, and at which share of all bytes."""
        total = sum(file.size for file in files) or 1
        before = 0
        for file in files:
            parts = self._output.committed(file)
            self.standing.before += rows_done(parts)
            self.standing.bad += sum(part.bad for part in parts)
            if not parts or not parts[-1].last:
                yield from self._of_file(file, len(parts), before / total, file.size / total)
            else:
                self.standing.share_before += file.size / total
            before += file.size

    def _of_file(self, file: InputFile, number: int, before: float, share: float) -> Iterator[tuple[_Piece, float]]:
        size = self._wish.part_rows
        inside = [name for name in self._columns.read if name not in file.folders]
        with readers.opened(file) as reader:
            inside += [name for name in self._columns.read if name not in inside and name in reader.schema.names]
            found = reader.batches(inside, number * size)
            cut = itertools.chain.from_iterable(_cut(batch, size) for batch in found)
            held: _Piece | None = None
            for batch in cut:
                piece = _Piece(file, _part_of(batch, size), readers.with_folders(batch, file, self._columns.read))
                if held is not None:
                    yield replace(held, ends=held.number != piece.number), before + share * reader.fraction()
                held = piece
            if held is None:  # a file without rows, or one that ends where a part does
                empty = Batch(_empty(reader.schema, inside), np.arange(0))
                held = _Piece(file, number, readers.with_folders(empty, file, self._columns.read))
            yield replace(held, ends=True, last=True), before + share

    # -- writing --

    def _write(self, piece: _Piece, scored: Scored) -> None:
        if self._writer is None:
            self._writer, self._in_part = self._output.writer(piece.file, piece.number), 0
        rows = piece.batch.rows
        answers, errors = self._answers(piece, scored), self._errors(piece, scored)
        bad = int(pc.count(scored.answers.column(ERROR)).as_py()) + len(piece.batch.broken)
        self._writer.write(answers, errors, bad)
        count = len(rows) + len(piece.batch.broken)
        self._in_part += count
        self.standing.rows += count
        self.standing.bad += bad
        if len(self.reasons) < _SHOWN and errors.num_rows:
            self.reasons += [_told(item) for item in errors.slice(0, _SHOWN - len(self.reasons)).to_pylist()]
        if piece.ends and self._few():
            self._writer.commit(piece.number * self._wish.part_rows, self._in_part, last=piece.last)
            self._writer = None
            self.committed += self._in_part

    def _answers(self, piece: _Piece, scored: Scored) -> pa.Table:
        """Keys (without any: file and row), prediction, error, release."""
        count = len(piece.batch.rows)
        named: dict[str, Any] = dict(
            zip(self._columns.keys.names, self._columns.keys_of(piece.batch, piece.file), strict=True)
        )
        named = named or {"file": _repeated(piece.file.name, count), "row": pa.array(piece.batch.rows, pa.int64())}
        named |= {name: scored.answers.column(name) for name in scored.answers.schema.names}
        return pa.table({**named, "release": _repeated(self._tag, count)})

    def _errors(self, piece: _Piece, scored: Scored) -> pa.Table:
        """Keys, file, row, field, code, reason; a line that is no row has no keys."""
        at = scored.errors.column("row")
        broken = piece.batch.broken
        keys = self._columns.keys_of(piece.batch, piece.file)
        named: dict[str, Any] = {
            name: pa.chunked_array([*column.take(at).chunks, pa.nulls(len(broken), column.type)], column.type)
            for name, column in zip(self._columns.keys.names, keys, strict=True)
        }
        rows = [*piece.batch.rows[at.to_numpy()].tolist(), *(line.row for line in broken)]
        return pa.table(
            {
                **named,
                "file": _repeated(piece.file.name, len(rows)),
                "row": pa.array(rows, pa.int64()),
                "field": pa.array([*scored.errors.column("field").to_pylist(), *(None for _ in broken)], pa.string()),
                "code": pa.array([*scored.errors.column("code").to_pylist(), *(BROKEN for _ in broken)], pa.string()),
                "reason": pa.array(
                    [*scored.errors.column("reason").to_pylist(), *(line.reason for line in broken)], pa.string()
                ),
            }
        )


def _fields(piece: _Piece, columns: _Columns) -> pa.Table:
    return piece.batch.table.select(list(columns.fields))


def _part_of(batch: Batch, size: int) -> int:
    first = [*batch.rows[:1].tolist(), *(line.row for line in batch.broken[:1])]
    return int(min(first)) // size


def _cut(batch: Batch, size: int) -> Iterator[Batch]:
    """The batch in pieces that each lie in one part."""
    last = max([*batch.rows[-1:].tolist(), *(line.row for line in batch.broken[-1:])])
    for number in range(_part_of(batch, size), last // size + 1):
        start, stop = np.searchsorted(batch.rows, [number * size, (number + 1) * size]).tolist()
        broken = tuple(line for line in batch.broken if number * size <= line.row < (number + 1) * size)
        if stop > start or broken:
            yield Batch(batch.table.slice(start, stop - start), batch.rows[start:stop], broken)


def _empty(schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    return pa.schema([schema.field(name) for name in columns]).empty_table()


def _repeated(text: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype="int32")), pa.array([text])).cast(pa.string())


def _told(item: dict[str, Any]) -> str:
    place = f"{item['field']}: " if item["field"] else ""
    return f"{item['file']}, row {item['row']}: {place}{item['reason']} ({item['code']})"
