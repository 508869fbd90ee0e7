"""The record of retraining: `retraining.sqlite3` in nb2prod's home.

An attempt to train a model again, and each of its steps with its numbers. A step is one transaction, so that an attempt whose process was killed is taken up where it
stopped. An attempt that ended as a proposal waits for its owner.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nb2prod import home
from nb2prod.database import Database
from nb2prod.errors import InputError
from nb2prod.release.person import user
from nb2prod.release.running.ledger import now, placed

FILE = "retraining.sqlite3"
State = Literal["running", "proposed", "rolling out", "unchanged", "stopped", "failed", "dismissed"]
FRUITLESS: tuple[State, ...] = ("unchanged", "stopped", "failed")
"""Ends that led to nothing."""
_TABLES = """
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, champion TEXT NOT NULL, why TEXT NOT NULL, who TEXT NOT NULL, began TEXT NOT NULL,
    state TEXT NOT NULL, version TEXT, ended TEXT, detail TEXT NOT NULL, by_hand INTEGER NOT NULL
);
CREATE INDEX attempt_name ON attempt (name, id);
CREATE TABLE step (
    id INTEGER PRIMARY KEY AUTOINCREMENT, attempt INTEGER NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL, detail TEXT NOT NULL, numbers TEXT NOT NULL,
    UNIQUE (attempt, name)
);
"""
_COLUMNS = "id, name, champion, why, who, began, state, version, ended, detail, by_hand"


@dataclass(frozen=True)
class Attempt:
    """An attempt: `champion` is the release (`name:version`) that was live, `version` that of the new one once it is built."""

    id: int
    name: str
    champion: str
    why: str
    who: str
    began: str
    """ISO 8601, UTC, as `ended`."""
    state: State
    version: str | None
    ended: str | None
    detail: str
    by_hand: bool
    """Whether a person asked for it, due or not."""

    @property
    def challenger(self) -> str | None:
        """The new release, `name:version`; None before it is built."""
        return None if self.version is None else f"{self.champion.partition(':')[0]}:{self.version}"

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return {**asdict(self), "challenger": self.challenger}


@dataclass(frozen=True)
class Step:
    """A step that was done, in words and numbers; `at` is ISO 8601, UTC."""

    name: str
    at: str
    detail: str
    numbers: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self)


def begin(name: str, champion: str, why: str, *, by_hand: bool) -> Attempt:
    """Write an attempt that begins."""
    with _database().transaction() as connection:
        made = connection.execute(
            "INSERT INTO attempt (name, champion, why, who, began, state, detail, by_hand) VALUES (?, ?, ?, ?, ?, 'running', '', ?)",
            (name, champion, why, user(), now(), by_hand),
        )
        return _one(connection.execute(f"SELECT {_COLUMNS} FROM attempt WHERE id = ?", (made.lastrowid,)).fetchone())  # noqa: S608 (a constant)


def add_step(attempt: Attempt, name: str, detail: str, numbers: dict[str, Any], version: str | None = None) -> None:
    """A step is done; `version` is that of the new release where this step made it."""
    with _database().transaction() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO step (attempt, name, at, detail, numbers) VALUES (?, ?, ?, ?, ?)",
            (attempt.id, name, now(), detail, json.dumps(numbers)),
        )
        if version is not None:
            connection.execute("UPDATE attempt SET version = ? WHERE id = ?", (version, attempt.id))


def end(attempt: Attempt, state: State, detail: str) -> Attempt:
    """The attempt is over; returns it as it is then."""
    with _database().transaction() as connection:
        connection.execute(
            "UPDATE attempt SET state = ?, detail = ?, ended = ? WHERE id = ?", (state, detail, now(), attempt.id)
        )
        return _one(connection.execute(f"SELECT {_COLUMNS} FROM attempt WHERE id = ?", (attempt.id,)).fetchone())  # noqa: S608 (a constant)


def attempts(name: str) -> tuple[Attempt, ...]:
    """All attempts for this name, the newest last."""
    if not _database().is_there:
        return ()
    with _database().transaction() as connection:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM attempt WHERE name = ? ORDER BY id", (name,)).fetchall()  # noqa: S608 (a constant)
    return tuple(map(_one, rows))


def steps(attempt: Attempt) -> tuple[Step, ...]:
    """The steps of an attempt in their order."""
    with _database().transaction() as connection:
        rows = connection.execute(
            "SELECT name, at, detail, numbers FROM step WHERE attempt = ? ORDER BY id", (attempt.id,)
        ).fetchall()
    return tuple(Step(name, at, detail, json.loads(numbers)) for name, at, detail, numbers in rows)


def proposal(name: str) -> Attempt | None:
    """The release that waits for its owner's decision: proposed last, and not live."""
    found = attempts(name)
    if not found or found[-1].state != "proposed":
        return None
    placement = placed(name)
    taken = placement is not None and found[-1].version in (placement.live, placement.previous)
    return None if taken else found[-1]


def stopped(release: str) -> str | None:
    """Why retraining did not let this release (`name:version`) any further; None where it did, or did not make it."""
    if not _database().is_there:
        return None
    name, _, version = release.partition(":")
    with _database().transaction() as connection:
        row = connection.execute(
            "SELECT state, detail FROM attempt WHERE version = ? AND substr(champion, 1, ?) = ? ORDER BY id DESC LIMIT 1",
            (version, len(name) + 1, f"{name}:"),
        ).fetchone()
    return row[1] if row is not None and row[0] == "stopped" else None


def dismiss(name: str, why: str) -> Attempt:
    """The owner does not want the proposed release; `InputError` where none is proposed, or no reason given."""
    if not why.strip():
        raise InputError("a dismissal says why", 'For example: --dismiss "the new price list is not in the data yet"')
    found = proposal(name)
    if found is None:
        raise InputError(f"nothing is proposed for {name}", f"`nb2prod retrain {name} --show` tells its attempts.")
    return end(found, "dismissed", f"{user()}: {why.strip()}")


def remarks(name: str) -> list[str]:
    """What the deployment's owner should know of its retraining."""
    found = attempts(name)
    if not found:
        return []
    last = found[-1]
    if last.state == "running":
        return [
            f"it is being trained again since {last.began[:16].replace('T', ' ')} UTC, or was cut off in that: {last.why}"
        ]
    proposed = proposal(name)
    if proposed is None:
        return []
    asked = f"nb2prod diff {proposed.champion} {proposed.challenger}, then nb2prod deploy {proposed.challenger}{_named(name, proposed)}"
    no = f'or nb2prod retrain {name} --dismiss "why"'
    return [f"{proposed.challenger} is proposed in its place ({proposed.detail}): {asked}, {no}"]


def _named(name: str, attempt: Attempt) -> str:
    return "" if attempt.champion.partition(":")[0] == name else f" --name {name}"


def _one(row: tuple[Any, ...]) -> Attempt:
    return Attempt(**{**dict(zip(_COLUMNS.split(", "), row, strict=True)), "by_hand": bool(row[-1])})


def _database() -> Database:
    return Database(
        home.home() / FILE,
        _TABLES,
        "the record of retraining {path} can't be used",
        "Check that its folder can be written to and has room. What was deployed keeps running.",
    )
