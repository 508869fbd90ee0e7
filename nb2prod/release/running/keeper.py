"""Keeps one server running after the shell that started it is gone: `python -I -m nb2prod.release.running.keeper FOLDER`.

The folder holds what it works with (see `kept`, its other side)::

    wanted.json   what to run: command, environment, where it says that it is ready
    keeper.lock   locked by the keeper while it lives, with its process id: what no reboot and no reused id can feign
    keeper.json   what it has seen: `Seen`
    log           what the server wrote; `log.1` the part before

A server that dies is started again, later and later, and given up once it has died too often. On SIGTERM the server
is ended, its last requests answered. On SIGHUP `wanted.json` is read again and the server exchanged; where the new
one does not become ready the old one is put back: all this without whoever asked for it, who may be killed meanwhile.

BentoML's workers put themselves into sessions of their own; the keeper is the subreaper of all that it started, so
none outlives it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from nb2prod.parity.guardian import kill_all

_SUBREAPER, _PARENT_DEATH = 36, 1  # of linux/prctl.h
_POLL = 0.1
_LOOK = 1.0
_TRIES = 100
_LOG_BYTES = 10_000_000
_WINDOW = 120.0
"""Seconds over which crashes count."""
MOST_CRASHES = 5
"""So many within the window, and the server is given up."""


@dataclass
class Seen:
    """What the keeper tells the world."""

    pid: int
    state: str = "starting"
    """Of the words for a deployment: `starting`, `serving`, `draining`, `stopped`, `failed`."""
    serial: int = 0
    """Number of the `wanted.json` that runs; a lower one than asked for means that the exchange is not done."""
    version: str | None = None
    """What runs, as its `wanted.json` called it."""
    refused: int = 0
    """Number of the last `wanted.json` that was given up for the one before it."""
    reason: str = ""
    child: int | None = None
    started: float = 0.0
    ready: float = 0.0
    """When it last became ready; 0 before."""
    crashes: list[float] = field(default_factory=list)
    """When the server or one of its workers died."""
    gap: float | None = None
    """Seconds without a ready server at the last exchange."""


class Keeper:
    """The keeper of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen = Seen(os.getpid())
        self._child: subprocess.Popen[bytes] | None = None
        self._wanted: dict[str, Any] = {}
        self._asked_to_end = False
        self._asked_to_exchange = False
        self._workers: set[int] = set()
        self._looked = 0.0

    def run(self) -> int:
        """Keep the server until told to end, or until it can't be kept."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGHUP, self._exchange)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._wanted = self._read()
        if self._wanted.get("ended"):
            return 0  # whoever started this was killed, and its traces were cleared up before this came up
        self.seen.serial, self.seen.version = self._wanted["serial"], self._wanted["version"]
        try:
            self._start()
            self._keep()
        finally:
            self._stop()
            if self.seen.state != "failed":
                self.seen.state = "stopped"
            self._tell()
        return 0 if self.seen.state == "stopped" else 1

    def _keep(self) -> None:
        while not self._asked_to_end:
            if self._asked_to_exchange:
                self._asked_to_exchange = False
                self._exchanged()
            elif self._child is None or self._child.poll() is not None:
                if not self._again():
                    return
            else:
                self._look()
            time.sleep(_POLL)

    # -- the server --

    def _start(self) -> None:
        wanted = self._wanted
        self._clear(wanted)
        environment = {**os.environ, **wanted["environment"]}
        with (self.folder / "log").open("ab") as log:
            self._child = subprocess.Popen(
                wanted["command"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=wanted["folder"],
                env=environment,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 (this process has one thread)
            )
        self._workers = set()
        self.seen.child, self.seen.started, self.seen.ready = self._child.pid, time.time(), 0.0
        self.seen.state, self.seen.reason = "starting", ""
        self._tell()

    def _stop(self) -> None:
        """End the server: asked first, so that it answers what it has begun; then whatever is left of it."""
        child = self._child
        if child is None:
            return
        self.seen.state = "draining" if self.seen.state != "failed" else "failed"
        self._tell()
        with contextlib.suppress(OSError):
            child.send_signal(self._wanted["stop_signal"])
        deadline = time.monotonic() + self._wanted["drain_seconds"]
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        kill_all(child)
        self._clear(self._wanted)
        self._child = None

    def _clear(self, wanted: dict[str, Any]) -> None:
        """Whatever a server that was killed may have left (a container lives apart from its client)."""
        if wanted.get("clear"):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    wanted["clear"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=60,
                    check=False,
                )

    def _again(self) -> bool:
        """The server died: start it again after a while; False once it has died too often."""
        child = self._child
        if child is not None:
            code = child.poll()
            self.seen.ready = 0.0
            self._crashed(f"the server ended with status {code}")
            kill_all(child)
            self._child = None
        recent = self._recent()
        if recent >= MOST_CRASHES:
            self.seen.state = "failed"
            self.seen.reason = f"given up: it died {recent} times within {_WINDOW:g} s; {self.seen.reason}"
            self._tell()
            return False
        self._wait(min(0.5 * 2 ** (recent - 1), 8.0))
        if not self._asked_to_end:
            reason = self.seen.reason
            self._start()
            self.seen.reason = reason
        return True

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not (self._asked_to_end or self._asked_to_exchange):
            time.sleep(_POLL)

    def _crashed(self, reason: str) -> None:
        self.seen.crashes = [*self.seen.crashes, time.time()][-50:]
        self.seen.reason = reason
        self._tell()

    def _recent(self) -> int:
        return sum(moment > time.time() - _WINDOW for moment in self.seen.crashes)

    def _look(self) -> None:
        """Once a second: has a worker died, is it ready now, is the log too long?"""
        if time.monotonic() - self._looked < _LOOK and self.seen.ready:
            return
        self._looked = time.monotonic()
        child = self._child
        assert child is not None
        workers = _children(child.pid) if self._wanted["workers"] else set()
        died = self._workers - workers
        self._workers = workers
        if died and child.poll() is None:
            self._crashed(f"a worker died (process {', '.join(map(str, sorted(died)))})")
        if not self.seen.ready and is_ready(self._wanted):
            self.seen.ready, self.seen.state = time.time(), "serving"
            self._tell()
        self._rotate()

    def _rotate(self) -> None:
        log = self.folder / "log"
        with contextlib.suppress(OSError):
            if log.stat().st_size > _LOG_BYTES:
                (self.folder / "log.1").write_bytes(log.read_bytes())
                os.truncate(log, 0)

    # -- exchange on the same port --

    def _exchanged(self) -> None:
        former, wanted = self._wanted, self._read()
        if wanted["serial"] <= self.seen.serial:
            return
        began = time.monotonic()
        self._stop()
        self._wanted = wanted
        self._start()
        if self._comes_up():
            self.seen.serial, self.seen.version, self.seen.crashes = wanted["serial"], wanted["version"], []
        elif not self._asked_to_end:
            why = self.seen.reason or f"it was not ready within {wanted['ready_seconds']:g} s"
            self._stop()
            self._wanted = former
            self._start()
            self._comes_up()
            self.seen.refused, self.seen.reason = wanted["serial"], why
        self.seen.gap = time.monotonic() - began
        self._tell()

    def _comes_up(self) -> bool:
        deadline = time.monotonic() + self._wanted["ready_seconds"]
        child = self._child
        assert child is not None
        while time.monotonic() < deadline and not self._asked_to_end:
            if child.poll() is not None:
                self.seen.reason = f"the server ended with status {child.returncode}"
                return False
            if is_ready(self._wanted):
                self.seen.ready, self.seen.state = time.time(), "serving"
                return True
            time.sleep(0.05)
        return False

    # -- the world --

    def _read(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "wanted.json").read_text(encoding="utf-8"))
        return document

    def _tell(self) -> None:
        # A full disk must not end a server that answers.
        with contextlib.suppress(OSError):
            temporary = self.folder / ".keeper.json"
            temporary.write_text(json.dumps(asdict(self.seen)), encoding="utf-8")
            temporary.replace(self.folder / "keeper.json")

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_end = True

    def _exchange(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_exchange = True


def is_ready(wanted: dict[str, Any], seconds: float = 2.0) -> bool:
    """Whether the server of this `wanted.json` says that it is ready; one that is not asked is ready at once."""
    if wanted.get("ready_path") is None:
        return True
    connection = http.client.HTTPConnection(wanted["ready_host"], wanted["ready_port"], timeout=seconds)
    try:
        connection.request("GET", wanted["ready_path"])
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):  # each thread has those that it started
        with contextlib.suppress(OSError, ValueError):
            found |= set(map(int, path.read_text(encoding="ascii").split()))
    return found


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _die_with_parent() -> None:
    _prctl(_PARENT_DEATH, signal.SIGTERM)


def _locked(lock: int) -> bool:
    """Whether the lock could be had. Who asks whether a keeper lives holds it for a moment: try again."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            time.sleep(0.02)
    return False


def main(folder: Path) -> int:
    """Detach, take the folder's lock, keep its server. The first process returns at once."""
    if os.fork():
        return 0
    os.setsid()
    lock = os.open(folder / "keeper.lock", os.O_RDWR | os.O_CREAT, 0o644)
    if not _locked(lock):
        return 3  # another keeper has it
    os.ftruncate(lock, 0)
    os.write(lock, str(os.getpid()).encode())
    os.chdir("/")
    _prctl(_SUBREAPER, 1)
    return Keeper(folder).run()


if __name__ == "__main__":
    os._exit(main(Path(sys.argv[1])))
