"""What was decided about releases: each check of gates that let one pass, or did not, with its numbers, by whom, and why against them.

`decisions.sqlite3` in nb2prod's home. Which release an environment has is the last one that was let in.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from nb2prod import home
from nb2prod.database import Database
from nb2prod.release.person import user
from nb2prod.release.running.ledger import now

FILE = "decisions.sqlite3"
DEPLOY = "deploy"
_TABLES = """
CREATE TABLE decision (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, version TEXT NOT NULL, purpose TEXT NOT NULL, let_in INTEGER NOT NULL,
    override TEXT NOT NULL, who TEXT NOT NULL, at TEXT NOT NULL, report TEXT NOT NULL
);
CREATE INDEX decision_name ON decision (name, purpose, id);
"""
_COLUMNS = "name, version, purpose, let_in, override, who, at, report"


@dataclass(frozen=True)
class Decision:
    """One decision. `purpose` is `deploy`, or an environment; `override` why it was let in though a gate did not let it pass."""

    name: str
    version: str
    purpose: str
    let_in: bool
    override: str
    who: str
    at: str
    """ISO 8601, UTC."""
    report: dict[str, Any]
    """The gates as they were found."""

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self)


def record(name: str, version: str, purpose: str, report: dict[str, Any], *, let_in: bool, override: str) -> Decision:
    """Keep a decision that was made now; raises `EnvironmentProblem` where the disk refuses."""
    made = Decision(name, version, purpose, let_in, override, user(), now(), report)
    with _database().transaction() as connection:
        connection.execute(
            f"INSERT INTO decision ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 (a constant)
            (name, version, purpose, int(let_in), override, made.who, made.at, json.dumps(report)),
        )
    return made


def decisions(name: str) -> tuple[Decision, ...]:
    """All that was decided about the releases of a name, the newest last."""
    rows = _selected(f"SELECT {_COLUMNS} FROM decision WHERE name = ? ORDER BY id", name)  # noqa: S608 (a constant)
    return tuple(_decision(row) for row in rows)


def _decision(row: tuple[Any, ...]) -> Decision:
    name, version, purpose, let_in, override, who, at, report = row
    return Decision(name, version, purpose, bool(let_in), override, who, at, json.loads(report))


def placed() -> dict[str, tuple[str, ...]]:
    """`name:version` -> the environments that have it."""
    let_in = _selected(
        "SELECT name, purpose, version FROM decision WHERE let_in AND purpose <> ? ORDER BY name, id", DEPLOY
    )
    held = {(name, environment): f"{name}:{version}" for name, environment, version in let_in}
    found: dict[str, tuple[str, ...]] = {}
    for (_, environment), bento in held.items():
        found[bento] = (*found.get(bento, ()), environment)
    return found


def environments(name: str) -> dict[str, str]:
    """The version that each environment has."""
    return dict(
        _selected(
            "SELECT purpose, version FROM decision WHERE name = ? AND let_in AND purpose <> ? ORDER BY id", name, DEPLOY
        )
    )


def _selected(query: str, *given: str) -> list[tuple[Any, ...]]:
    database = _database()
    if not database.is_there:
        return []
    with database.transaction() as connection:
        return connection.execute(query, given).fetchall()


def _database() -> Database:
    return Database(
        home.home() / FILE,
        _TABLES,
        "the record of decisions {path} can't be used",
        "Check that its folder can be written to and has room. What was deployed keeps running.",
    )
