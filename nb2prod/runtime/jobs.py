"""A durable queue of requests that are answered later, in one SQLite file that all workers share.

Not one of the small queue libraries: those that were looked at (huey, litequeue, persist-queue) drop a task that is at work when
its process is killed, or keep it but neither its answer nor whose it was. Here a job belongs to a worker while it is at work,
a worker holds a lock on a file of its own, and the system takes that lock away when the worker dies, however it dies:
then its jobs wait again. No clock decides this.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    owner TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    rows INTEGER NOT NULL,
    created REAL NOT NULL,
    started REAL,
    ended REAL,
    body BLOB,
    answer BLOB
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, number);
"""
QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"
_TRIES = 3
"""A job that ended its worker so often is given up: it may be what ends them."""
_WAIT = 10.0
"""Seconds to wait for another worker's turn at the file."""


class Full(Exception):
    """As many jobs wait as may."""


class Unwritable(Exception):
    """The queue's file can't be used; the text says why and where."""


@dataclass(frozen=True)
class Job:
    """One job; `answer` is what became of it, as JSON, once it is done or failed."""

    id: str
    state: str
    rows: int
    created: float
    started: float | None = None
    ended: float | None = None
    answer: bytes | None = None


_COLUMNS = "id, state, rows, created, started, ended, answer"


class Jobs:
    """The queue in this folder.

    Args:
        folder: made when the first job comes.
        most: jobs that may wait or be at work; as many finished ones are kept.
        hours: how long a finished one is kept.
        clock: seconds since 1970; it decides only when finished jobs go.
    """

    def __init__(self, folder: Path, *, most: int, hours: float, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._file = folder / "jobs.sqlite"
        self._most = most
        self._kept = hours * 3600
        self._clock = clock
        self._owner = secrets.token_hex(8)
        self._lock: int | None = None

    @property
    def exist(self) -> bool:
        """Whether there was ever a job."""
        return self._file.is_file()

    def submit(self, body: bytes, rows: int) -> Job:
        """Put a request in. Raises `Full` and `Unwritable`."""
        job = Job(secrets.token_urlsafe(16), QUEUED, rows, self._clock())
        with self._open() as connection:
            waiting = connection.execute("SELECT count(*) FROM jobs WHERE state IN (?, ?)", (QUEUED, RUNNING))
            if waiting.fetchone()[0] >= self._most:
                raise Full
            connection.execute(
                "INSERT INTO jobs (id, state, rows, created, body) VALUES (?, ?, ?, ?, ?)",
                (job.id, QUEUED, rows, job.created, body),
            )
        return job

    def get(self, identity: str) -> Job | None:
        """The job, None where it is not known (any more). Raises `Unwritable`."""
        if not self.exist:
            return None
        with self._open() as connection:
            found = connection.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (identity,)).fetchone()  # noqa: S608
        return Job(*found) if found else None

    def delete(self, identity: str) -> bool:
        """Forget the job, whatever its state; at work, it ends before its next rows. Whether it was known."""
        if not self.exist:
            return False
        with self._open() as connection:
            return connection.execute("DELETE FROM jobs WHERE id = ?", (identity,)).rowcount > 0

    def claim(self) -> tuple[str, bytes] | None:
        """The oldest waiting job and its body, ours from now on; None where there is none. Raises `Unwritable`.

        Ours is at most one: what was ours before and did not end is put back.
        """
        if not self.exist:
            return None
        with self._open() as connection:
            self._hold()
            self._recover(connection)
            self._forget(connection)
            found = connection.execute(
                "SELECT id, body FROM jobs WHERE state = ? ORDER BY number LIMIT 1", (QUEUED,)
            ).fetchone()
            if found is None:
                return None
            connection.execute(
                "UPDATE jobs SET state = ?, owner = ?, started = ?, tries = tries + 1 WHERE id = ?",
                (RUNNING, self._owner, self._clock(), found[0]),
            )
        return str(found[0]), bytes(found[1])

    def is_ours(self, identity: str) -> bool:
        """Whether the job is still wanted, and of us."""
        with self._open() as connection:
            query = "SELECT 1 FROM jobs WHERE id = ? AND owner = ? AND state = ?"
            return connection.execute(query, (identity, self._owner, RUNNING)).fetchone() is not None

    def finish(self, identity: str, answer: bytes, *, failed: bool = False) -> None:
        """Keep the answer and let go of the body. Raises `Unwritable`; the job is then still ours."""
        with self._open() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, ended = ?, answer = ?, body = NULL WHERE id = ? AND owner = ? AND state = ?",
                (FAILED if failed else DONE, self._clock(), answer, identity, self._owner, RUNNING),
            )

    def waiting(self) -> int:
        """How many wait or are at work."""
        if not self.exist:
            return 0
        with self._open() as connection:
            query = "SELECT count(*) FROM jobs WHERE state IN (?, ?)"
            return int(connection.execute(query, (QUEUED, RUNNING)).fetchone()[0])

    def close(self) -> None:
        """Let go of what is ours: others may take it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
            (self._folder / f"worker-{self._owner}").unlink(missing_ok=True)

    # -- owners --

    def _hold(self) -> None:
        if self._lock is None:
            self._lock = os.open(self._folder / f"worker-{self._owner}", os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _recover(self, connection: sqlite3.Connection) -> None:
        """Put back the jobs of workers that are no more; a job that was put back too often fails."""
        owners = connection.execute("SELECT DISTINCT owner FROM jobs WHERE state = ?", (RUNNING,)).fetchall()
        for (owner,) in owners:
            if owner != self._owner and self._lives(owner):
                continue
            connection.execute(
                "UPDATE jobs SET state = ?, ended = ?, body = NULL, answer = ? WHERE state = ? AND owner = ? AND tries >= ?",
                (FAILED, self._clock(), _GIVEN_UP, RUNNING, owner, _TRIES),
            )
            connection.execute(
                "UPDATE jobs SET state = ?, owner = NULL WHERE state = ? AND owner = ?", (QUEUED, RUNNING, owner)
            )

    def _lives(self, owner: str) -> bool:
        file = self._folder / f"worker-{owner}"
        try:
            handle = os.open(file, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            file.unlink(missing_ok=True)
            return False
        finally:
            os.close(handle)

    def _forget(self, connection: sqlite3.Connection) -> None:
        """Drop finished jobs that are too old or too many."""
        ended = (DONE, FAILED)
        connection.execute("DELETE FROM jobs WHERE state IN (?, ?) AND ended < ?", (*ended, self._clock() - self._kept))
        connection.execute(
            "DELETE FROM jobs WHERE number IN "
            "(SELECT number FROM jobs WHERE state IN (?, ?) ORDER BY number DESC LIMIT -1 OFFSET ?)",
            (*ended, self._most),
        )

    # -- the file --

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction of its own, on disk when it ends: who was told that a job is kept may rely on it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self.exist:
                self._make()
            connection = sqlite3.connect(self._file, timeout=_WAIT, isolation_level=None)
            try:
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
            finally:
                connection.close()
        except (OSError, sqlite3.Error) as error:
            raise Unwritable(f"the queue of jobs in {self._folder} can't be used: {error}") from error

    def _make(self) -> None:
        """The empty queue, whole or not at all; two workers may come at once."""
        made = self._folder / f"jobs-{self._owner}.making"
        with contextlib.closing(sqlite3.connect(made)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
        try:
            os.link(made, self._file)
        except FileExistsError:
            pass
        finally:
            made.unlink()


_GIVEN_UP = (
    b'{"error":{"code":"internal_error","message":"given up: its worker ended while at work on it, several times",'
    b'"details":[]}}'
)
