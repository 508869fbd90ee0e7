"""The record of deployments: one SQLite file, `deployments.sqlite3` in nb2prod's home.

What is wanted and what was done; never what could be asked of the processes themselves. Each change is one
transaction. A rollout that has begun and not ended, while nobody holds the deployment's lock, was interrupted.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nb2prod import home
from nb2prod.database import Database
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.release.deployment import Event

SCHEMA = 1
FILE = "deployments.sqlite3"
ALIASES = ("live", "previous")
_WAIT_SECONDS = 15.0
_KEPT_EVENTS = 200
_PROBLEM = "the record of deployments {path} can't be used"
_HINT = "Check that its folder can be written to and has room. What was deployed keeps running."
_NEWER_HINT = "Update nb2prod. What it deployed keeps running."

_TABLES = """
CREATE TABLE deployment (name TEXT PRIMARY KEY, port INTEGER NOT NULL UNIQUE, document TEXT NOT NULL);
CREATE TABLE instance (
    id INTEGER PRIMARY KEY AUTOINCREMENT, deployment TEXT NOT NULL, port INTEGER UNIQUE, document TEXT NOT NULL
);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, deployment TEXT NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL,
    version TEXT, detail TEXT NOT NULL
);
CREATE INDEX event_deployment ON event (deployment, id);
"""


@dataclass(frozen=True)
class Rollout:
    """A change of version that has begun."""

    version: str
    step: str
    """The last step that was done: see `rollout`."""
    began: str
    instance: int | None = None
    """The new version's server."""
    process: int | None = None
    """Who does it."""


@dataclass(frozen=True)
class Canary:
    """A version that gets its callers in stages beside the live one."""

    version: str
    instance: int
    """Its server."""
    rollout: int
    """Number of its rollout in the record of those: see `stages.book`."""


@dataclass(frozen=True)
class Placement:
    """What is wanted of a deployment. `live` and `previous` are its aliases: versions of the Bento `release`."""

    name: str
    release: str
    host: str
    port: int
    kind: str = "process"
    proxied: bool = False
    wanted: str = "running"
    """`running`, `stopped`, or `restored`: stopped, and to be started by the next `restore`."""
    live: str | None = None
    previous: str | None = None
    instance: int | None = None
    """The live version's server."""
    proxy: int | None = None
    """HAProxy, where it stands before the servers."""
    gap: float | None = None
    failure: str = ""
    """Why the last rollout failed; empty after one that did not."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """How its servers are started: environment, container engine and its options."""
    rollout: Rollout | None = None
    canary: Canary | None = None

    @property
    def kept_instances(self) -> tuple[int, ...]:
        """Those that are wanted: whatever else runs was left behind."""
        canary = None if self.canary is None else self.canary.instance
        return tuple(number for number in (self.instance, self.proxy, canary) if number is not None)


@dataclass(frozen=True)
class Instance:
    """A server (or proxy) that was given to a keeper."""

    id: int
    deployment: str
    version: str | None
    """None for a proxy."""
    port: int | None
    """Reserved for it; None where it listens at the deployment's own."""


class Ledger:
    """The file. Each method is one transaction; raises `EnvironmentProblem` where the disk refuses."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or home.make(home.home()) / FILE

    def placements(self) -> tuple[Placement, ...]:
        """All deployments by name."""
        with self._open() as connection:
            rows = connection.execute("SELECT document FROM deployment ORDER BY name").fetchall()
        return tuple(_placement(row[0]) for row in rows)

    def placement(self, name: str) -> Placement | None:
        """The deployment of this name."""
        with self._open() as connection:
            row = connection.execute("SELECT document FROM deployment WHERE name = ?", (name,)).fetchone()
        return None if row is None else _placement(row[0])

    def save(self, item: Placement, *events: Event) -> Placement:
        """Write the deployment, with what happened to it; `InputError` where another has its port."""
        document = json.dumps(asdict(item))
        with self._open() as connection:
            owner = connection.execute(
                "SELECT name FROM deployment WHERE port = ? AND name <> ?", (item.port, item.name)
            ).fetchone()
            if owner is not None:
                raise InputError(
                    f"port {item.port} belongs to the deployment {owner[0]}",
                    "Choose another one with --port, or leave it out to have a free one found.",
                )
            connection.execute(
                "INSERT INTO deployment VALUES (?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET port = excluded.port, document = excluded.document",
                (item.name, item.port, document),
            )
            _add_events(connection, item.name, events)
        return item

    def note(self, name: str, *events: Event) -> None:
        """Write only what happened."""
        with self._open() as connection:
            _add_events(connection, name, events)

    def forget(self, name: str) -> None:
        """Remove the deployment with all that is known of it."""
        with self._open() as connection:
            for table in ("instance", "event"):
                connection.execute(f"DELETE FROM {table} WHERE deployment = ?", (name,))  # noqa: S608 (two words of ours)
            connection.execute("DELETE FROM deployment WHERE name = ?", (name,))

    def events(self, name: str, most: int = _KEPT_EVENTS) -> tuple[Event, ...]:
        """What happened to the deployment, the newest last."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT at, what, version, detail FROM event WHERE deployment = ? ORDER BY id DESC LIMIT ?",
                (name, most),
            ).fetchall()
        return tuple(Event(*row) for row in reversed(rows))

    def add_instance(self, deployment: str, version: str | None, port: int | None) -> Instance:
        """A new instance, its port reserved; `sqlite3.IntegrityError` where another one has that."""
        with self._open() as connection:
            document = json.dumps({"version": version})
            made = connection.execute(
                "INSERT INTO instance (deployment, port, document) VALUES (?, ?, ?)", (deployment, port, document)
            )
            assert made.lastrowid is not None
            return Instance(made.lastrowid, deployment, version, port)

    def instances(self, deployment: str) -> tuple[Instance, ...]:
        """The deployment's instances, the newest last."""
        with self._open() as connection:
            rows = connection.execute(
                "SELECT id, deployment, document, port FROM instance WHERE deployment = ? ORDER BY id", (deployment,)
            ).fetchall()
        return tuple(Instance(row[0], row[1], json.loads(row[2])["version"], row[3]) for row in rows)

    def remove_instance(self, number: int) -> None:
        """Forget an instance; its port is free again."""
        with self._open() as connection:
            connection.execute("DELETE FROM instance WHERE id = ?", (number,))

    def ports(self) -> frozenset[int]:
        """All ports that are spoken for."""
        with self._open() as connection:
            rows = connection.execute("SELECT port FROM deployment UNION SELECT port FROM instance").fetchall()
        return frozenset(row[0] for row in rows if row[0] is not None)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            # It holds the keys with which deployments are looked after.
            self.path.touch(mode=0o600)
        except OSError as error:
            raise EnvironmentProblem(f"{_PROBLEM.format(path=self.path)}: {error}", _HINT) from error
        database = Database(self.path, _TABLES, _PROBLEM, _HINT, _NEWER_HINT, SCHEMA, _WAIT_SECONDS)
        with database.transaction() as connection:
            yield connection


def placed(name: str) -> Placement | None:
    """The deployment of this name; where nothing was deployed yet no file is made."""
    return Ledger().placement(name) if (home.home() / FILE).is_file() else None


def aliased(release: str, alias: str) -> str:
    """The version that `live` or `previous` names in the deployment of this name; `InputError` where it names none."""
    found = placed(release)
    version = None if found is None else getattr(found, alias)
    if version is None or found is None or found.release != release:
        raise InputError(f"{release} has no {alias} release", "`nb2prod list` names the releases.")
    return str(version)


def event(what: str, version: str | None = None, detail: str = "") -> Event:
    """Something that happened now."""
    return Event(now(), what, version, detail)


def now() -> str:
    """The time, in UTC, as it is written everywhere."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _add_events(connection: sqlite3.Connection, name: str, events: tuple[Event, ...]) -> None:
    for item in events:
        connection.execute(
            "INSERT INTO event (deployment, at, what, version, detail) VALUES (?, ?, ?, ?, ?)",
            (name, item.at, item.what, item.version, item.detail),
        )
    if events:
        connection.execute(
            "DELETE FROM event WHERE deployment = ? AND id NOT IN "
            "(SELECT id FROM event WHERE deployment = ? ORDER BY id DESC LIMIT ?)",
            (name, name, _KEPT_EVENTS),
        )


def _placement(text: str) -> Placement:
    given = _known(Placement, json.loads(text))
    for name, kind in (("rollout", Rollout), ("canary", Canary)):
        if given.get(name) is not None:
            given[name] = kind(**_known(kind, given[name]))
    return Placement(**given)


def _known(kind: type[Placement | Rollout | Canary], document: Mapping[str, Any]) -> dict[str, Any]:
    """What this version knows of a document that a newer one may have written."""
    names = {item.name for item in fields(kind)}
    return {key: value for key, value in document.items() if key in names}
