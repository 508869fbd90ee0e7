"""The other side of the keeper: give it a server to keep, ask what it has seen, have it exchange or end it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from nb2prod.errors import EnvironmentProblem
from nb2prod.release.running import keeper
from nb2prod.release.running.keeper import Seen

_POLL = 0.05
_DROPPED = ("PYTHON", "BENTOML_", "NB2PROD_")
"""Settings of the shell that must not reach a server: it shall run the same when started again by another one."""
_APPEAR_SECONDS = 20.0
DRAIN_SECONDS = 40.0
"""Longer than the service's own limit for a request."""


@dataclass(frozen=True)
class Command:
    """A server to keep: its command, run in `folder`; `ready` is host, port and path that answer 200 once it is ready."""

    command: tuple[str, ...]
    folder: Path
    version: str | None = None
    """What it serves."""
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: tuple[str, int, str] | None = None
    ready_seconds: float = 180.0
    drain_seconds: float = DRAIN_SECONDS
    stop_signal: signal.Signals = signal.SIGTERM
    """Asks it to end once its requests are answered."""
    workers: bool = False
    """Whether its child processes are workers, whose deaths are crashes."""
    clear: tuple[str, ...] = ()
    """Run before each start and after each end, to remove what a killed server may have left."""

    def to_json(self, serial: int) -> dict[str, Any]:
        """The document of wanted.json."""
        host, port, path = self.ready or ("", 0, None)
        return {
            "serial": serial,
            "version": self.version,
            "command": list(self.command),
            "folder": str(self.folder),
            "environment": dict(self.environment),
            "ready_host": host,
            "ready_port": port,
            "ready_path": path,
            "ready_seconds": self.ready_seconds,
            "drain_seconds": self.drain_seconds,
            "stop_signal": int(self.stop_signal),
            "workers": self.workers,
            "clear": list(self.clear),
        }


class Kept:
    """One keeper's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, command: Command) -> None:
        """Start a keeper for this command; it outlives this process. Raises `EnvironmentProblem`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            command.folder.mkdir(parents=True, exist_ok=True)
            self._want(command.to_json(self._serial() + 1))
            with (self.folder / "log").open("ab") as log:
                subprocess.run(
                    [sys.executable, "-I", "-m", keeper.__name__, str(self.folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=_environment(),
                    start_new_session=True,
                    check=True,
                )
        except (OSError, subprocess.CalledProcessError) as error:
            reason = error.strerror if isinstance(error, OSError) else f"its keeper ended: {self.last_lines(3)}"
            raise EnvironmentProblem(
                f"the server can't be started from {self.folder}: {reason or error}",
                "Free some room there, or set NB2PROD_HOME to another folder.",
            ) from error
        self._appear()

    def _appear(self) -> None:
        deadline = time.monotonic() + _APPEAR_SECONDS
        while not self.alive and self.seen is None:
            if time.monotonic() > deadline:
                raise EnvironmentProblem(
                    f"the keeper of {self.folder} did not come up within {_APPEAR_SECONDS:g} s", self.last_lines(3)
                )
            time.sleep(_POLL)

    def exchange(self, command: Command) -> int:
        """Have the server exchanged for this one on its port; returns the serial to wait for in `seen`."""
        serial = self._serial() + 1
        try:
            self._want(command.to_json(serial))
        except OSError as error:
            raise EnvironmentProblem(
                f"the new server can't be asked for in {self.folder}: {error.strerror or error}",
                "Free some room there.",
            ) from error
        self._signal(signal.SIGHUP)
        return serial

    @property
    def exchanging(self) -> bool:
        """Whether an exchange was asked for and is neither done nor given up."""
        seen = self.seen
        return self.alive and seen is not None and self._serial() > max(seen.serial, seen.refused)

    def stop(self, timeout: float = DRAIN_SECONDS + 20.0) -> bool:
        """End the server, its last requests answered, and the keeper. Whether it is gone afterwards."""
        self.end()
        deadline = time.monotonic() + timeout
        while self.alive and time.monotonic() < deadline:
            time.sleep(_POLL)
        return not self.alive

    def end(self) -> None:
        """As `stop`, without waiting. A keeper that is not up yet ends as soon as it is."""
        with contextlib.suppress(OSError, ValueError):
            self._want({**self._wanted(), "ended": True})
        self._signal(signal.SIGTERM)

    @property
    def alive(self) -> bool:
        """Whether the keeper lives: whether its lock is held."""
        try:
            descriptor = os.open(self.folder / "keeper.lock", os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    @property
    def pid(self) -> int | None:
        """The keeper's process, while it lives."""
        try:
            return int((self.folder / "keeper.lock").read_text(encoding="ascii")) if self.alive else None
        except (OSError, ValueError):
            return None

    @property
    def seen(self) -> Seen | None:
        """What the keeper told last; None before it told anything."""
        try:
            document = json.loads((self.folder / "keeper.json").read_text(encoding="utf-8"))
            known = {item.name for item in fields(Seen)}
            return Seen(**{key: value for key, value in document.items() if key in known})
        except (OSError, ValueError, TypeError):
            return None

    def last_lines(self, count: int) -> str:
        """The last lines of the log that hold something."""
        return "\n".join(tail(self.folder / "log", count))

    def _serial(self) -> int:
        try:
            return int(self._wanted()["serial"])
        except (OSError, ValueError, KeyError):
            return 0

    def _wanted(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "wanted.json").read_text(encoding="utf-8"))
        return document

    def _want(self, document: Mapping[str, Any]) -> None:
        temporary = self.folder / ".wanted.json"
        # The environment may hold digests of keys: nobody else's business.
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / "wanted.json")

    def _signal(self, number: signal.Signals) -> None:
        pid = self.pid
        if pid is not None:
            with contextlib.suppress(OSError):
                os.kill(pid, number)


def tail(log: Path, count: int) -> list[str]:
    """The last lines that hold something, of this log and of the part before it."""
    found: list[str] = []
    for path in (log, log.with_name("log.1")):
        with contextlib.suppress(OSError):
            text = path.read_text(encoding="utf-8", errors="replace")
            found = [line for line in text.splitlines() if line.strip()] + found
        if len(found) >= count:
            break
    return found[-count:] if count else []


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
