"""What was counted, kept: `watching/<name>.sqlite3` in nb2prod's home.

A look at the log reads only files that were not counted before, and keeps counts by day. A file and its counts are written in one transaction, so a
look that is killed counts nothing twice, and two looks at once share the work. What the log's retention removes stays counted.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nb2prod import home
from nb2prod.database import Database
from nb2prod.watching.binning import Counts

_WAIT_SECONDS = 60.0
_NEAR_FUTURE = dt.timedelta(days=1)
_TABLES = """
CREATE TABLE file (
    model TEXT NOT NULL, name TEXT NOT NULL, day TEXT NOT NULL, rows INTEGER NOT NULL, problem TEXT, PRIMARY KEY (model, name)
) WITHOUT ROWID;
CREATE TABLE day (model TEXT NOT NULL, day TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (model, day));
CREATE TABLE tally (
    model TEXT NOT NULL, series TEXT NOT NULL, day TEXT NOT NULL, counts TEXT NOT NULL, PRIMARY KEY (model, series, day)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Counted:
    """What one file held of a model."""

    name: str
    day: dt.date
    rows: int
    counts: Mapping[str, Counts]
    problem: str | None = None


def latest_day() -> dt.date:
    """The last day that rows can be of, wherever on earth they were answered; later ones have a wrong clock's time."""
    return dt.datetime.now(dt.UTC).date() + _NEAR_FUTURE


class Tallies:
    """The counts of one deployment's or served model's log."""

    def __init__(self, name: str) -> None:
        self.path = home.home() / "watching" / f"{name}.sqlite3"

    def unread(self, model: str, names: Sequence[str]) -> set[str]:
        """Those of these files that were not counted for this model; one that could not be read may be whole by now."""
        with self._open() as connection:
            rows = connection.execute("SELECT name FROM file WHERE model = ? AND problem IS NULL", (model,))
            known = {row[0] for row in rows}
        return set(names) - known

    def add(self, model: str, read: Sequence[Counted]) -> None:
        """Keep what these files held; one that somebody else kept meanwhile is not counted again."""
        with self._open() as connection:
            for item in read:
                day = item.day.isoformat()
                connection.execute(
                    "DELETE FROM file WHERE model = ? AND name = ? AND problem IS NOT NULL", (model, item.name)
                )
                made = connection.execute(
                    "INSERT OR IGNORE INTO file VALUES (?, ?, ?, ?, ?)",
                    (model, item.name, day, item.rows, item.problem),
                )
                if not made.rowcount or not item.rows:
                    continue
                connection.execute(
                    "INSERT INTO day VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET rows = rows + excluded.rows",
                    (model, day, item.rows),
                )
                for key, counts in item.counts.items():
                    _add(connection, (model, key, day), counts)

    def days(self, model: str) -> dict[dt.date, int]:
        """Rows by day."""
        with self._open() as connection:
            rows = connection.execute("SELECT day, rows FROM day WHERE model = ? ORDER BY day", (model,)).fetchall()
        return {dt.date.fromisoformat(day): count for day, count in rows}

    def tallies(self, model: str) -> dict[str, dict[dt.date, npt.NDArray[np.float64]]]:
        """Counts by series and day."""
        found: dict[str, dict[dt.date, npt.NDArray[np.float64]]] = {}
        with self._open() as connection:
            for key, day, text in connection.execute(
                "SELECT series, day, counts FROM tally WHERE model = ? ORDER BY day", (model,)
            ):
                found.setdefault(key, {})[dt.date.fromisoformat(day)] = np.asarray(json.loads(text), dtype="float64")
        return found

    def problems(self, model: str) -> tuple[tuple[str, str], ...]:
        """Files that could not be read, with the reason."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT name, problem FROM file WHERE model = ? AND problem IS NOT NULL ORDER BY name", (model,)
            ).fetchall()
        return tuple((name, problem) for name, problem in rows)

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return Database(
            self.path,
            _TABLES,
            "what was counted of the request log can't be kept in {path}",
            "Check that its folder can be written to and has room; a damaged file may be removed: the log is then counted anew.",
            "Update nb2prod, or remove the file: the log is then counted anew.",
            wait_seconds=_WAIT_SECONDS,
        ).transaction()


def _add(connection: sqlite3.Connection, key: tuple[str, str, str], counts: Counts) -> None:
    known = connection.execute("SELECT counts FROM tally WHERE model = ? AND series = ? AND day = ?", key).fetchone()
    before = np.asarray(json.loads(known[0])) if known else np.zeros(len(counts), dtype="int64")
    connection.execute(
        "INSERT INTO tally VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET counts = excluded.counts",
        (*key, json.dumps((before + counts).tolist())),
    )
