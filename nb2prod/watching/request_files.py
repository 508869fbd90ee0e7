"""The files of a request log: which there are, and what they hold, a part at a time."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nb2prod.runtime.request_log_schema import SCHEMA, SCHEMA_KEY

BATCH_ROWS = 65_536


class Unreadable(Exception):
    """A file of the log that can't be used; the text says why, without its name."""


@dataclass(frozen=True, order=True)
class LogFile:
    """A finished file of the log."""

    day: dt.date
    path: Path

    @property
    def name(self) -> str:
        """What tells it from all others: its day, and its name, which begins with a random word of its worker's."""
        return f"{self.day.isoformat()}/{self.path.name}"


def files(folders: Sequence[Path], since: dt.date | None = None) -> list[LogFile]:
    """All finished files of these logs by day; what is being written, or lies in a folder that is no day, is none of them."""
    found = []
    for folder in folders:
        for path in folder.glob("*/*.parquet"):
            with contextlib.suppress(ValueError):
                day = dt.date.fromisoformat(path.parent.name)
                if since is None or day >= since:
                    found.append(LogFile(day, path))
    return sorted(found)


def batches(file: LogFile, model: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows that this model (`name:version`) answered, `BATCH_ROWS` at most at a time, with those of the columns that the file has.

    Raises `Unreadable` where the file is damaged, or its form is newer than this reads.
    """
    try:
        with pq.ParquetFile(file.path) as opened:
            check_schema(opened.schema_arrow)
            there = set(opened.schema_arrow.names)
            wanted = ["model", *[name for name in dict.fromkeys(columns) if name in there and name != "model"]]
            for batch in opened.iter_batches(BATCH_ROWS, columns=wanted):
                mine = batch.filter(pc.equal(batch.column("model"), model))
                if len(mine):
                    yield mine
    except FileNotFoundError:
        return  # removed meanwhile, as the oldest files are
    except (pa.ArrowException, OSError) as error:
        raise Unreadable(str(error).splitlines()[0]) from error


def check_schema(schema: pa.Schema) -> None:
    """Raise `Unreadable` for a file that is no part of a request log, or of a newer form."""
    told = (schema.metadata or {}).get(SCHEMA_KEY, b"1")
    if not told.isdigit() or int(told) > SCHEMA:
        raise Unreadable(f"it has the form {told.decode(errors='replace')}, and this nb2prod reads {SCHEMA}")
    if "model" not in schema.names:
        raise Unreadable("it has no column 'model'")
