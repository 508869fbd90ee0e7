"""The table of answers: a folder of Parquet files, each of which is there whole or not at all.

A part holds the answers for a run of rows of one input file, under a name that these alone decide. It is written under another name, and renamed when it
is complete: that is its commit. What is wrong with its rows lies beside it in `_errors`, and is renamed first. So whoever goes on after a kill
finds which rows are done by the parts' footers, does none of them again, and writes over what was not committed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from nb2prod import room
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.scoring.places import InputFile, Place, place

ERRORS = "_errors"
_JOB = "_job.json"
_KEY = b"nb2prod"


@dataclass(frozen=True)
class Part:
    """A committed part: rows `first` up to `first + rows` of a file, of which `bad` have no answer; `last` where the file ends there."""

    first: int
    rows: int
    bad: int
    last: bool


@dataclass(frozen=True)
class Job:
    """What a table of answers is of: a release, key columns, how many rows a part has, and each input file with its size and time."""

    bento: str
    keys: tuple[str, ...]
    part_rows: int
    files: dict[str, tuple[int, int | None]]


class Output:
    """The folder of a table of answers."""

    def __init__(self, text: str) -> None:
        self.shown = text
        self._place: Place = place(text)
        self._fs: fs.FileSystem = self._place.arrow

    @contextlib.contextmanager
    def held(self, job: Job) -> Iterator[None]:
        """For this job alone: what others left unfinished is cleared away.

        Raises `InputError` where the folder holds something else, another job's answers or another release's; or where somebody else is at it.
        """
        with self._told():
            self._check(job)
            self._fs.create_dir(self._path(ERRORS), recursive=True)
            with self._locked():
                self._write_job(job)
                for name in self._names("") + self._names(ERRORS):
                    if Path(name).name.startswith(".part-"):
                        self._fs.delete_file(self._path(name))
                yield

    def committed(self, file: InputFile) -> list[Part]:
        """The parts of this file that are there, from its first row on without a gap."""
        found: list[Part] = []
        while (part := self._read_part(self._name(file, len(found)))) is not None:
            found.append(part)
            if part.last:
                break
        return found

    def writer(self, file: InputFile, number: int) -> PartWriter:
        """For the part of this number of a file."""
        return PartWriter(self, self._name(file, number))

    # -- files --

    def _path(self, name: str) -> str:
        return f"{self._place.path.rstrip('/')}/{name}" if name else self._place.path

    def open(self, name: str) -> pa.NativeFile:
        """A file to write to."""
        return self._fs.open_output_stream(self._path(name))

    def move(self, name: str, to: str) -> None:
        """Rename a file; one that has the name is replaced."""
        self._fs.move(self._path(name), self._path(to))

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with contextlib.suppress(OSError):
            self._fs.delete_file(self._path(name))

    def _names(self, folder: str) -> list[str]:
        found = self._fs.get_file_info(fs.FileSelector(self._path(folder), allow_not_found=True))
        return [f"{folder}/{info.base_name}" if folder else info.base_name for info in found]

    def _name(self, file: InputFile, number: int) -> str:
        return f"part-{hashlib.sha256(file.name.encode()).hexdigest()[:12]}-{number:06d}.parquet"

    def _read_part(self, name: str) -> Part | None:
        try:
            with self._fs.open_input_file(self._path(name)) as source:
                return Part(**json.loads(pq.read_metadata(source).metadata[_KEY]))
        except (OSError, pa.ArrowInvalid, KeyError, TypeError, ValueError):
            return None

    def _check(self, job: Job) -> None:
        there = self._names("")
        if not there:
            return
        if _JOB not in there:
            raise InputError(
                f"{self.shown} exists, and holds no answers of nb2prod's", "Name a folder that does not exist yet."
            )
        with self._fs.open_input_stream(self._path(_JOB)) as source:
            before = json.loads(source.read())
        other = "Name another folder, or remove this one."
        if before["bento"] != job.bento:
            raise InputError(
                f"{self.shown} holds answers of {before['bento']}, and not of {job.bento}",
                f"To go on with that release: nb2prod score {before['bento']} …. {other}",
            )
        if before["keys"] != list(job.keys) or before["part_rows"] != job.part_rows:
            raise InputError(
                f"{self.shown} was begun with the key columns {', '.join(before['keys']) or '(none)'}", other
            )
        for name, stamp in before["files"].items():
            if name not in job.files:
                raise InputError(f"{self.shown} holds answers for {name}, which is not among the tables", other)
            if list(job.files[name]) != stamp:
                raise InputError(f"{name} has changed since {self.shown} was begun", other)

    def _write_job(self, job: Job) -> None:
        with self.open(f".{_JOB}") as sink:
            sink.write(json.dumps(asdict(job), indent=1).encode())
        self.move(f".{_JOB}", _JOB)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """On this machine one run at a time writes to a folder; of other places it can't be asked."""
        if not self._place.local:
            yield
            return
        with Path(self._path(ERRORS), ".lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(f"another run writes to {self.shown}", "Wait until it is done, or end it.") from None
            yield

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EnvironmentProblem(
                f"{self.shown} can't be written: {room.reason(error)}",
                "Free some room there; the same command then goes on where this one stopped."
                if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
                else "",
            ) from error


class PartWriter:
    """Writes one part and its errors; `commit` or `drop` ends it."""

    def __init__(self, output: Output, name: str) -> None:
        self._output, self._name = output, name
        self._answers = _File(output, f".{name}")
        self._errors = _File(output, f"{ERRORS}/.{name}")
        self.bad = 0

    def write(self, answers: pa.Table, errors: pa.Table, bad: int) -> None:
        """Add the answers for some rows, and what is wrong with `bad` of them."""
        self._answers.write(answers)
        if errors.num_rows:
            self._errors.write(errors)
        self.bad += bad

    def commit(self, first: int, rows: int, *, last: bool) -> Part:
        """Put it in its place: its errors, then itself."""
        part = Part(first, rows, self.bad, last)
        self.keep_errors()
        self._answers.close({_KEY: json.dumps(asdict(part))})
        self._output.move(f".{self._name}", self._name)
        return part

    def keep_errors(self) -> None:
        """Put its errors in their place, if it has some."""
        if self._errors.close():
            self._output.move(f"{ERRORS}/.{self._name}", f"{ERRORS}/{self._name}")

    def drop(self) -> None:
        """Remove what is written and not in its place."""
        for file in (self._answers, self._errors):
            with contextlib.suppress(OSError, pa.ArrowException):
                file.close()
            self._output.remove(file.name)


class _File:
    """A Parquet file that begins with the first table written to it."""

    def __init__(self, output: Output, name: str) -> None:
        self._output, self.name = output, name
        self._sink: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._sink = self._output.open(self.name)
            self._writer = pq.ParquetWriter(self._sink, table.schema, compression="zstd")
        self._writer.write_table(table.cast(self._writer.schema))

    def close(self, metadata: dict[bytes, Any] | None = None) -> bool:
        """Complete it; whether there is one."""
        writer, sink = self._writer, self._sink
        self._writer = self._sink = None
        if writer is None or sink is None:
            return False
        try:
            if metadata:
                writer.add_key_value_metadata(metadata)
            writer.close()
        finally:
            sink.close()
        return True


def rows_done(parts: Sequence[Part]) -> int:
    """How many rows of their file these parts are for."""
    return sum(part.rows for part in parts)
