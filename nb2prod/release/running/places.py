"""Where a deployment keeps its files, and which ports there are for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from nb2prod import home, room
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.parity import ports
from nb2prod.release.running.kept import Kept
from nb2prod.release.running.ledger import Instance, Ledger

FIRST_PORT = 3000
_POLL = 0.1
_TRIES = 20
_KEPT_FOLDERS = 3


def folder(name: str) -> Path:
    """`deployments/<name>` in nb2prod's home."""
    return home.home() / "deployments" / name


def kept(instance: Instance) -> Kept:
    """The keeper's folder of this instance."""
    return Kept(folder(instance.deployment) / "servers" / str(instance.id))


def bento(name: str, version: str) -> Path:
    """The deployment's own copy of a Bento: it outlives the store's."""
    return folder(name) / "bentos" / version


def copies() -> tuple[Path, ...]:
    """The copies of Bentos that all deployments have."""
    return tuple(sorted((home.home() / "deployments").glob("*/bentos/*")))


def copy_bento(source: Path, name: str, version: str) -> Path:
    """Put the Bento where the deployment's servers find it whatever becomes of the store; appears whole.

    Raises `EnvironmentProblem` where the disk refuses.
    """
    target = bento(name, version)
    if (target / "bento.yaml").is_file():
        return target
    scratch = target.with_name(f".copying-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, scratch, copy_function=_linked, ignore=shutil.ignore_patterns("__pycache__"))
        scratch.rename(target)
    except OSError as error:
        raise EnvironmentProblem(
            f"the Bento can't be copied to {target}: {room.reason(error)}",
            "Free some room there, or set NB2PROD_HOME to another folder.",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _linked(source: str, target: str) -> str:
    """A second name for the same bytes costs nothing; across file systems they are copied."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def free_port(ledger: Ledger, host: str) -> int:
    """The first port from 3000 on that nobody listens at and no deployment has."""
    taken = ledger.ports()
    for port in range(FIRST_PORT, 65536):
        if port not in taken and why_taken(host, port) is None:
            return port
    raise EnvironmentProblem(f"no port is free on {host}", "Stop something, or name a port with --port.")


def why_taken(host: str, port: int) -> str | None:
    """Why nothing can listen at this port; None where something can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None


def check_port(host: str, port: int) -> None:
    """`EnvironmentProblem` where nothing can listen at this port."""
    reason = why_taken(host, port)
    if reason is not None:
        raise EnvironmentProblem(
            f"can't listen on {host}, port {port}: {reason}",
            "Choose another one with --port, or leave it out to have a free one found.",
        )


def private_instance(ledger: Ledger, deployment: str, version: str | None) -> Instance:
    """An instance with a free port of 127.0.0.1 of its own."""
    for _ in range(_TRIES):
        port = ports.free()
        if port in ledger.ports():
            continue
        with contextlib.suppress(sqlite3.IntegrityError):  # another deploy had the same idea
            return ledger.add_instance(deployment, version, port)
    raise EnvironmentProblem("no free port of 127.0.0.1 was found", "Stop something that listens.")


def discard(ledger: Ledger, instance: Instance) -> None:
    """Forget an instance that has ended; the last few folders stay, for their logs."""
    ledger.remove_instance(instance.id)
    known = {str(item.id) for item in ledger.instances(instance.deployment)}
    root = folder(instance.deployment) / "servers"
    dead = [path for path in root.iterdir() if path.name.isdecimal() and path.name not in known]
    for path in sorted(dead, key=lambda path: int(path.name))[:-_KEPT_FOLDERS]:
        shutil.rmtree(path, ignore_errors=True)


def last_log(name: str) -> Path | None:
    """The log of the deployment's newest server, also where that has ended."""
    found = [path for path in (folder(name) / "servers").glob("*/log") if not (path.parent / "haproxy.cfg").is_file()]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def reachable(host: str) -> str:
    """Where a server that listens at this address answers on this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (not bound here)


def url(host: str, port: int) -> str:
    """The address to ask."""
    told = reachable(host)
    return f"http://{f'[{told}]' if ':' in told else told}:{port}"


def check_name(name: str) -> str:
    """The name, if it can be one of a deployment; else `InputError`."""
    from nb2prod.release import records

    records.folder_of(name, "0")
    return name


@contextlib.contextmanager
def lock(name: str, *, wait: float, told: Callable[[str], None] | None = None) -> Iterator[None]:
    """The right to change a deployment: one process at a time, freed by the system however that process ends.

    Waits up to `wait` seconds for another one, and says so once; then raises `EnvironmentProblem`.
    """
    path = home.make(folder(name)) / "lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise EnvironmentProblem(f"{path} can't be opened: {error.strerror}", "Check who owns that folder.") from error
    try:
        _acquire(descriptor, name, wait, told)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_locked(name: str) -> bool:
    """Whether somebody is changing the deployment at this moment."""
    try:
        with lock(name, wait=0.0):
            return False
    except Busy:
        return True


def _acquire(descriptor: int, name: str, wait: float, told: Callable[[str], None] | None) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"
        if told is not None:
            told(f"process {holder} is changing {name}: waiting for it")
            told = None
        if time.monotonic() > deadline:
            raise Busy(name, holder)
        time.sleep(_POLL)


class Busy(EnvironmentProblem):
    """Another process is changing the deployment."""

    def __init__(self, name: str, holder: str) -> None:
        super().__init__(
            f"another process ({holder}) is changing the deployment {name}", "Try again once it has finished."
        )


def of_name(ledger: Ledger, name: str) -> InputError:
    """The error for a deployment that there is not."""
    names = ", ".join(item.name for item in ledger.placements())
    there = f"There are: {names}." if names else "Deploy one with `nb2prod deploy BENTO`."
    return InputError(f"there is no deployment named {name!r}", there)
