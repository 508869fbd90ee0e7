"""Labels, kept with what they belong to: `watching/<name>.labels.sqlite3` in nb2prod's home.

A label is of a request's row; the last one that came counts. It is *matched* once the request log has the row that it belongs to, with the day, the model and the
prediction of then, and stays so when the log's retention removes the row.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nb2prod import home
from nb2prod.database import Database

_WAIT_SECONDS = 60.0
_TABLES = """
CREATE TABLE IF NOT EXISTS label (
    request_id TEXT NOT NULL, position INTEGER NOT NULL, value TEXT NOT NULL, corrected INTEGER NOT NULL DEFAULT 0,
    model TEXT, day TEXT, prediction TEXT, PRIMARY KEY (request_id, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS read_until (file TEXT PRIMARY KEY, position INTEGER NOT NULL);
"""
Key = tuple[str, int]


@dataclass(frozen=True)
class Labelled:
    """A row with its label: what was answered, and what turned out to be true."""

    day: dt.date
    prediction: Any
    truth: Any


@dataclass(frozen=True)
class Match:
    """The logged row that a label belongs to."""

    key: Key
    model: str
    day: dt.date
    prediction: Any


class LabelStore:
    """The labels of one name."""

    def __init__(self, name: str) -> None:
        self.path = home.home() / "watching" / f"{name}.labels.sqlite3"

    def add(self, labels: Iterable[tuple[Key, Any]]) -> int:
        """Take these labels; one that its row has already is replaced. Returns how many came."""
        with self._open() as connection:
            return _insert(connection, labels)

    def add_file(self, path: Path) -> int:
        """Take what the service appended to this file since it was read last; a line that is half written waits."""
        with self._open() as connection:
            known = connection.execute("SELECT position FROM read_until WHERE file = ?", (str(path),)).fetchone()
            start = known[0] if known else 0
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(start)
                data = file.read()
                whole = data[: data.rfind(b"\n") + 1]
                count = _insert(connection, _parsed(whole))
                connection.execute(
                    "INSERT INTO read_until VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position",
                    (str(path), start + len(whole)),
                )
                return count
        return 0

    def unmatched(self) -> set[Key]:
        """Labels whose row was not found yet."""
        with self._open() as connection:
            return set(connection.execute("SELECT request_id, position FROM label WHERE model IS NULL").fetchall())

    def match(self, found: Sequence[Match]) -> None:
        """These rows were found."""
        with self._open() as connection:
            connection.executemany(
                "UPDATE label SET model = ?, day = ?, prediction = ? WHERE request_id = ? AND position = ?",
                [(item.model, item.day.isoformat(), json.dumps(item.prediction), *item.key) for item in found],
            )

    def remove(self, keys: Iterable[Key]) -> int:
        """Forget the labels of these rows; returns how many there were."""
        with self._open() as connection:
            return sum(
                connection.execute("DELETE FROM label WHERE request_id = ? AND position = ?", key).rowcount
                for key in keys
            )

    def labelled(self, model: str) -> list[Labelled]:
        """The labelled rows that this model answered, by day; rows that it had no answer for are left out."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT day, prediction, value FROM label WHERE model = ? AND prediction <> 'null' ORDER BY day, request_id, position",
                (model,),
            ).fetchall()
        return [Labelled(dt.date.fromisoformat(day), json.loads(made), json.loads(true)) for day, made, true in rows]

    def newest(self, model: str, most: int) -> list[tuple[Key, Any]]:
        """The last labels of rows that this model had an answer for, `most` at most, by day: the row's key and what turned out to be true."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT request_id, position, value FROM label WHERE model = ? AND prediction <> 'null' ORDER BY day DESC, request_id, position LIMIT ?",
                (model, most),
            ).fetchall()
        return [((identity, position), json.loads(value)) for identity, position, value in reversed(rows)]

    def counts(self) -> tuple[int, int, int]:
        """How many rows have a label, how many of these were corrected, and how many belong to no row that was found."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT COUNT(*), COALESCE(SUM(corrected > 0), 0), COALESCE(SUM(model IS NULL), 0) FROM label"
            ).fetchone()
        return int(row[0]), int(row[1]), int(row[2])

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return Database(
            self.path,
            _TABLES,
            "labels can't be kept in {path}",
            "Check that its folder can be written to and has room.",
            wait_seconds=_WAIT_SECONDS,
        ).transaction()


def _insert(connection: sqlite3.Connection, labels: Iterable[tuple[Key, Any]]) -> int:
    count = 0
    for (request_id, position), value in labels:
        connection.execute(
            "INSERT INTO label (request_id, position, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
            " SET corrected = corrected + (value <> excluded.value), value = excluded.value",
            (request_id, position, json.dumps(value)),
        )
        count += 1
    return count


def _parsed(data: bytes) -> Iterator[tuple[Key, Any]]:
    for line in data.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            entry = json.loads(line)
            yield (str(entry["request_id"]), int(entry["row"])), entry["label"]
