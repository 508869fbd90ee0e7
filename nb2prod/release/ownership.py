"""Who answers for a model, set without building it again: for a deployment, or for all releases of a name.

`ownership.sqlite3` in nb2prod's home keeps every change, with who made it. What is set here holds instead of what `nb2prod.toml` said when a release was
built, until it is taken back (`nb2prod own NAME --as-built`).
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from typing import Any

from nb2prod import git, home
from nb2prod.database import Database
from nb2prod.errors import InputError
from nb2prod.release import records
from nb2prod.release.person import user
from nb2prod.release.record import ReleaseRecord
from nb2prod.release.running.ledger import now, placed

FILE = "ownership.sqlite3"
ACKNOWLEDGE_HOURS = 72.0
"""An alarm that nobody has acknowledged for so long is overdue, where nothing else is stated."""
_TABLES = """
CREATE TABLE ownership (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, owner TEXT, runbook TEXT, acknowledge_hours REAL, at TEXT NOT NULL, who TEXT NOT NULL
);
CREATE INDEX ownership_name ON ownership (name, id);
"""
_COLUMNS = "name, owner, runbook, acknowledge_hours, at, who"


@dataclass(frozen=True)
class Ownership:
    """What was set for a name; None: as it was built."""

    name: str
    owner: str | None = None
    runbook: str | None = None
    acknowledge_hours: float | None = None
    """Within how many hours an alarm must be acknowledged."""
    at: str = ""
    """ISO 8601, UTC."""
    who: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self)


def change(
    name: str, *, owner: str | None = None, runbook: str | None = None, acknowledge_hours: float | None = None
) -> Ownership:
    """Set what is given for a deployment or the releases of a name, and keep the rest; returns what holds then.

    Raises `InputError` where there is neither, or nothing to set.
    """
    given = {"owner": owner, "runbook": runbook}
    for what, text in given.items():
        if text is not None and not text.strip():
            raise InputError(f"the {what} is empty", f"To go back to what was built: nb2prod own {name} --as-built")
    if owner is None and runbook is None and acknowledge_hours is None:
        raise InputError("nothing to set", "Give --owner, --runbook or --acknowledge-within.")
    _check(name)
    before = said(name) or Ownership(name)
    made = replace(
        before,
        owner=before.owner if owner is None else owner.strip(),
        runbook=before.runbook if runbook is None else runbook.strip(),
        acknowledge_hours=before.acknowledge_hours if acknowledge_hours is None else acknowledge_hours,
        at=now(),
        who=user(),
    )
    return _add(made)


def take_back(name: str) -> Ownership:
    """What was set for this name no longer holds; `InputError` where nothing was."""
    if said(name) is None:
        raise InputError(f"nothing was set for {name}", "`nb2prod status` and `nb2prod show` name its owner.")
    return _add(Ownership(name, at=now(), who=user()))


def said(name: str) -> Ownership | None:
    """What was set last for exactly this name; None for nothing."""
    if not _database().is_there:
        return None
    with _database().transaction() as connection:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM ownership WHERE name = ? ORDER BY id DESC LIMIT 1",  # noqa: S608 (a constant)
            (name,),
        ).fetchone()
    found = None if row is None else Ownership(*row)
    empty = found is None or (found.owner, found.runbook, found.acknowledge_hours) == (None, None, None)
    return None if empty else found


def holding(release: str, built: ReleaseRecord | None, deployment: str | None = None) -> Ownership:
    """What holds for a release of this name, or its deployment: what was set for the deployment, else for the release, else what was built."""
    names = [name for name in (deployment, release) if name is not None]
    known = [item for item in map(said, dict.fromkeys(names)) if item is not None]
    if built is not None:
        hours = built.watch.get("acknowledge_hours")
        known.append(Ownership(release, built.owner, built.runbook, hours, built.created))
    return Ownership(
        deployment or release,
        next((item.owner for item in known if item.owner is not None), None),
        next((item.runbook for item in known if item.runbook is not None), None),
        next((item.acknowledge_hours for item in known if item.acknowledge_hours is not None), None),
    )


def identities() -> frozenset[str]:
    """What the person at this machine is called: `NB2PROD_OWNER` (several with commas, as for teams), git's name and e-mail, the user's name."""
    told = [*os.environ.get("NB2PROD_OWNER", "").split(","), user()]
    told += filter(None, map(git.setting, ("user.email", "user.name")))
    return frozenset(text.strip().casefold() for text in told if text.strip())


def is_mine(owner: str | None, mine: frozenset[str]) -> bool:
    """Whether one of the owners (several with commas) is one of these."""
    return owner is not None and any(part.strip().casefold() in mine for part in owner.split(","))


def _check(name: str) -> None:
    if placed(name) is None:
        records.find(name)


def _add(item: Ownership) -> Ownership:
    with _database().transaction() as connection:
        connection.execute(
            f"INSERT INTO ownership ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 (a constant)
            (item.name, item.owner, item.runbook, item.acknowledge_hours, item.at, item.who),
        )
    return item


def _database() -> Database:
    return Database(
        home.home() / FILE,
        _TABLES,
        "the record of owners {path} can't be used",
        "Check that its folder can be written to and has room.",
    )
