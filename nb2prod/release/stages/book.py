"""The record of staged rollouts: `rollouts.sqlite3` in nb2prod's home.

A rollout, each decision about it with its numbers, and the callers that were counted: a step from one state to the next is one transaction, so that
whoever is killed in the middle of one leaves the state before it or the one after it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from nb2prod import home
from nb2prod.database import Database
from nb2prod.errors import InputError
from nb2prod.release.running.ledger import now
from nb2prod.release.stages.state import Change, Decision, StagedRollout

FILE = "rollouts.sqlite3"
_TABLES = """
CREATE TABLE rollout (id INTEGER PRIMARY KEY AUTOINCREMENT, deployment TEXT NOT NULL, version TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX rollout_deployment ON rollout (deployment, id);
CREATE TABLE decision (
    id INTEGER PRIMARY KEY AUTOINCREMENT, rollout INTEGER NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL,
    numbers TEXT NOT NULL, who TEXT NOT NULL
);
CREATE INDEX decision_rollout ON decision (rollout, id);
CREATE TABLE caller (rollout INTEGER NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (rollout, key)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Entry:
    """A rollout of the record."""

    id: int
    rollout: StagedRollout


@dataclass(frozen=True)
class Decided:
    """A decision of the record; `at` is ISO 8601, UTC."""

    at: str
    what: str
    stage: str
    reason: str
    numbers: dict[str, Any]
    who: str


def begin(deployment: str, rollout: StagedRollout, who: str) -> int:
    """Write a rollout that begins; returns its number."""
    with _database().transaction() as connection:
        made = connection.execute(
            "INSERT INTO rollout (deployment, version, document) VALUES (?, ?, ?)",
            (deployment, rollout.version, _text(rollout)),
        )
        assert made.lastrowid is not None
        _note(connection, made.lastrowid, Decision("began", rollout.stage_name, rollout.plan.words, {}, who))
        return made.lastrowid


def change(number: int, step: Callable[[StagedRollout], Change], callers: Iterable[int] = ()) -> Change:
    """Take the rollout from its state to the next, with the callers that were counted in it; returns both.

    Raises `EnvironmentProblem` where the disk refuses: the state is the one before.
    """
    with _database().transaction() as connection:
        before = _rollout(connection.execute("SELECT document FROM rollout WHERE id = ?", (number,)).fetchone()[0])
        after, decision = step(before)
        if after != before:
            connection.execute("UPDATE rollout SET document = ? WHERE id = ?", (_text(after), number))
        if decision is not None:
            _note(connection, number, decision)
        connection.executemany("INSERT OR IGNORE INTO caller VALUES (?, ?)", [(number, key) for key in callers])
        if after.outcome is not None:
            connection.execute("DELETE FROM caller WHERE rollout = ?", (number,))
    return after, decision


def of_number(number: int) -> StagedRollout | None:
    """The rollout of this number."""
    rows = _selected("SELECT document FROM rollout WHERE id = ?", number)
    return _rollout(rows[0][0]) if rows else None


def newest(deployment: str) -> Entry:
    """The last rollout of the deployment; `InputError` where there was none."""
    rows = _selected("SELECT id, document FROM rollout WHERE deployment = ? ORDER BY id DESC LIMIT 1", deployment)
    if not rows:
        raise InputError(
            f"{deployment} was never rolled out in stages", f"nb2prod deploy {deployment} --stages shadow,1,10,50,100"
        )
    return Entry(rows[0][0], _rollout(rows[0][1]))


def decisions(number: int) -> tuple[Decided, ...]:
    """All that was decided in the rollout of this number, the newest last."""
    rows = _selected("SELECT at, what, stage, reason, numbers, who FROM decision WHERE rollout = ? ORDER BY id", number)
    return tuple(
        Decided(at, what, stage, reason, msgspec.json.decode(numbers), who)
        for at, what, stage, reason, numbers, who in rows
    )


def known_callers(number: int) -> set[int]:
    """The callers, by the hash of their key, that were counted in the rollout."""
    return {row[0] for row in _selected("SELECT key FROM caller WHERE rollout = ?", number)}


def forget(deployment: str) -> None:
    """Remove all that is known of the deployment's rollouts."""
    if not _database().is_there:
        return
    with _database().transaction() as connection:
        for table in ("decision", "caller"):
            connection.execute(
                f"DELETE FROM {table} WHERE rollout IN (SELECT id FROM rollout WHERE deployment = ?)",  # noqa: S608 (two words of ours)
                (deployment,),
            )
        connection.execute("DELETE FROM rollout WHERE deployment = ?", (deployment,))


def _note(connection: sqlite3.Connection, number: int, decision: Decision) -> None:
    connection.execute(
        "INSERT INTO decision (rollout, at, what, stage, reason, numbers, who) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            now(),
            decision.what,
            decision.stage,
            decision.reason,
            msgspec.json.encode(decision.numbers).decode(),
            decision.who,
        ),
    )


def _text(rollout: StagedRollout) -> str:
    return msgspec.json.encode(rollout).decode()


def _rollout(text: str) -> StagedRollout:
    return msgspec.json.decode(text, type=StagedRollout)


def _selected(query: str, given: str | int) -> list[tuple[Any, ...]]:
    database = _database()
    if not database.is_there:
        return []
    with database.transaction() as connection:
        return connection.execute(query, (given,)).fetchall()


def _database() -> Database:
    return Database(
        home.home() / FILE,
        _TABLES,
        "the record of staged rollouts {path} can't be used",
        "Check that its folder can be written to and has room. What is served stays as it is.",
    )
