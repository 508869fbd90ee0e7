"""SQLite files in nb2prod's home: each use is one transaction, and a file that a newer nb2prod wrote is left alone."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nb2prod import home
from nb2prod.errors import EnvironmentProblem


@dataclass(frozen=True)
class Database:
    """A file, and what to say of it.

    `tables` are the statements that make its tables, which may be there already; `schema` is their number, from 1. `problem` says that the
    file can't be used, with `{path}` where its path stands, and `hint` what to do then; `newer_hint` for one of a newer schema. A transaction waits for others
    for `wait_seconds`.
    """

    path: Path
    tables: str
    problem: str
    hint: str
    newer_hint: str = "Update nb2prod."
    schema: int = 1
    wait_seconds: float = 15.0

    @property
    def is_there(self) -> bool:
        """Whether anything was written yet: who only asks makes no file."""
        return self.path.is_file()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Begin a transaction and make the folder and the tables where they are missing; what was done is kept at the end, unless an exception leaves it.

        Raises `EnvironmentProblem` where the file can't be used; `sqlite3.IntegrityError` is left to who asked for what a constraint forbids.
        """
        home.make(self.path.parent)
        try:
            connection = sqlite3.connect(self.path, timeout=self.wait_seconds, isolation_level=None)
        except sqlite3.Error as error:
            raise self._problem(error) from error
        try:
            # At once, not at the first write: two that read first and then write would refuse each other.
            connection.execute("BEGIN IMMEDIATE")
            self._check(connection)
            yield connection
            connection.execute("COMMIT")
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            raise self._problem(error) from error
        finally:
            connection.close()

    def _check(self, connection: sqlite3.Connection) -> None:
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if schema > self.schema:
            raise EnvironmentProblem(
                f"{self.path} was written by a newer nb2prod (schema {schema}, this one reads {self.schema})",
                self.newer_hint,
            )
        if schema == 0:
            for statement in filter(str.strip, self.tables.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {self.schema}")

    def _problem(self, error: Exception) -> EnvironmentProblem:
        return EnvironmentProblem(f"{self.problem.format(path=self.path)}: {error}", self.hint)
