"""Alarms of what is watched: raised once for a state, told to those who want to know, acknowledged by somebody or growing old.

One SQLite file, `alarms.sqlite3` in nb2prod's home, for all names. An alarm is *open* until it is acknowledged, also where its cause has gone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from nb2prod import home
from nb2prod.database import Database
from nb2prod.errors import InputError
from nb2prod.release.person import user
from nb2prod.release.running.ledger import now

FILE = "alarms.sqlite3"
_TABLES = """
CREATE TABLE IF NOT EXISTS alarm (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, model TEXT NOT NULL, subject TEXT NOT NULL, raised TEXT NOT NULL,
    text TEXT NOT NULL, over TEXT, acknowledged TEXT, who TEXT, why TEXT
);
CREATE TABLE IF NOT EXISTS delivery (
    alarm INTEGER NOT NULL, target TEXT NOT NULL, delivered TEXT NOT NULL, PRIMARY KEY (alarm, target)
);
"""
_COLUMNS = "id, name, model, subject, raised, text, over, acknowledged, who, why"


@dataclass(frozen=True)
class Alarm:
    """Something that its owner should look at."""

    id: int
    name: str
    """The deployment's, or the served model's."""
    model: str
    """`name:version`."""
    subject: str
    """What is watched, as in `age` or `loss`."""
    raised: str
    """ISO 8601, UTC."""
    text: str
    over: str | None = None
    """When its cause was gone."""
    acknowledged: str | None = None
    who: str | None = None
    why: str | None = None

    @property
    def age(self) -> dt.timedelta:
        """Since it was raised."""
        return dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(self.raised)

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self)


def raise_once(name: str, model: str, subject: str, text: str) -> Alarm:
    """An alarm of this subject that is not over, or a new one."""
    with _database().transaction() as connection:
        connection.execute(
            "INSERT INTO alarm (name, model, subject, raised, text) SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS"
            " (SELECT 1 FROM alarm WHERE name = ? AND model = ? AND subject = ? AND over IS NULL)",
            (name, model, subject, now(), text, name, model, subject),
        )
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM alarm WHERE name = ? AND model = ? AND subject = ? AND over IS NULL",  # noqa: S608 (a constant)
            (name, model, subject),
        ).fetchone()
    return Alarm(*row)


def end(name: str, model: str, subject: str) -> None:
    """The cause is gone: the next time raises a new alarm. One that nobody acknowledged stays open."""
    with _database().transaction() as connection:
        connection.execute(
            "UPDATE alarm SET over = ? WHERE name = ? AND model = ? AND subject = ? AND over IS NULL",
            (now(), name, model, subject),
        )


def open_alarms(name: str | None = None) -> tuple[Alarm, ...]:
    """Alarms that nobody acknowledged, of this name or of all, the oldest first."""
    return _selected("acknowledged IS NULL", name)


def all_alarms(name: str) -> tuple[Alarm, ...]:
    """Every alarm of this name, the oldest first."""
    return _selected("1", name)


def acknowledge(name: str, why: str) -> tuple[Alarm, ...]:
    """Somebody has seen the open alarms of this name, and says why they are no more; `InputError` where there is none, or no word."""
    if not why.strip():
        raise InputError("an acknowledgement says why", 'For example: --ack "new price list, expected until May"')
    found = open_alarms(name)
    if not found:
        raise InputError(f"{name} has no open alarm", f"`nb2prod watch {name}` shows how it does.")
    with _database().transaction() as connection:
        connection.executemany(
            "UPDATE alarm SET acknowledged = ?, who = ?, why = ? WHERE id = ?",
            [(now(), user(), why.strip(), item.id) for item in found],
        )
    numbers = {item.id for item in found}
    return tuple(item for item in all_alarms(name) if item.id in numbers)


def undelivered(name: str, target: str) -> tuple[Alarm, ...]:
    """Open alarms of this name that this target was not told."""
    with _database().transaction() as connection:
        told = {row[0] for row in connection.execute("SELECT alarm FROM delivery WHERE target = ?", (target,))}
    return tuple(item for item in open_alarms(name) if item.id not in told)


def delivered(item: Alarm, target: str) -> None:
    """The target was told."""
    with _database().transaction() as connection:
        connection.execute("INSERT OR IGNORE INTO delivery VALUES (?, ?, ?)", (item.id, target, now()))


def overdue(name: str, hours: float) -> int:
    """How many alarms of this name nobody has acknowledged for longer than so many hours."""
    return sum(item.age > dt.timedelta(hours=hours) for item in open_alarms(name))


def remarks(name: str, hours: float) -> list[str]:
    """The open alarms of a deployment in sentences, for its status; those older than `hours` are overdue."""
    if not _database().is_there:
        return []
    found = open_alarms(name)
    late = dt.timedelta(hours=hours)
    texts = [
        f"{'OVERDUE ' * (item.age > late)}alarm, {_age(item.age)} old, acknowledged by nobody: {item.text}"
        for item in found[:3]
    ]
    if len(found) > len(texts):
        texts.append(f"and {len(found) - len(texts)} more alarms")
    return [*texts, f'`nb2prod watch {name} --ack "why"` acknowledges them'] if texts else []


def _age(age: dt.timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours >= 2 else "under two hours"


def _selected(condition: str, name: str | None) -> tuple[Alarm, ...]:
    if not _database().is_there:
        return ()
    mine, given = ("", ()) if name is None else (" AND name = ?", (name,))
    with _database().transaction() as connection:
        rows = connection.execute(f"SELECT {_COLUMNS} FROM alarm WHERE {condition}{mine} ORDER BY id", given).fetchall()  # noqa: S608 (words of ours)
    return tuple(Alarm(*row) for row in rows)


def _database() -> Database:
    return Database(
        home.home() / FILE,
        _TABLES,
        "the record of alarms {path} can't be used",
        "Check that its folder can be written to and has room.",
    )
