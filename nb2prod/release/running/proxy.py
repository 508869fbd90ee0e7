"""HAProxy before the servers of a deployment: it holds the port, so that a new version takes over without a gap.

One proxy a deployment, kept like a server. Its backend has two slots; the new version gets the free one, and the
slot of the old one takes no more requests (`drain`) until the last is answered. The change is made through
HAProxy's runtime socket; the configuration file is written first, so that a proxy that is started again comes up
as it was meant to be.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from nb2prod.errors import EnvironmentProblem
from nb2prod.release.running import places
from nb2prod.release.running.kept import Command

SLOTS = ("a", "b")
CONFIG = "haproxy.cfg"
_SOCKET = "admin.sock"
_SECONDS = 5.0
_POLL = 0.05

_TEXT = """\
# Written by nb2prod for the deployment {name}; changed with each rollout.
global
    stats socket unix@{socket} mode 600 level admin
    maxconn 2000
    hard-stop-after 60s
defaults
    mode http
    option forwardfor
    # The service keeps its own limits and answers 504 itself.
    timeout connect 2s
    timeout client 15m
    timeout server 15m
    timeout http-request 60s
    timeout http-keep-alive 60s
    # A server that has just died is started again by its keeper: hold its callers until it listens.
    retries 15
    retry-on conn-failure empty-response
frontend front
    bind {bind}
    default_backend service
backend service
    # A prediction may be asked twice; what changes something may not.
    http-request disable-l7-retry if METH_POST !{{ path /predict /features }}
    http-error status 502 content-type application/json string '{bad_gateway}'
    http-error status 503 content-type application/json string '{unavailable}'
    http-error status 504 content-type application/json string '{timeout}'
{servers}
"""
_ENVELOPE = '{{"error":{{"code":"{code}","message":"{message}","details":[]}},"request_id":null}}'


@dataclass(frozen=True)
class Slot:
    """A place for a server: its port, and whether it gets requests."""

    name: str
    port: int | None
    active: bool = False


def installed() -> str | None:
    """The path of HAProxy's program; None without one."""
    found = shutil.which("haproxy")
    usual = Path("/usr/sbin/haproxy")  # not on everyone's path
    return found or (str(usual) if usual.is_file() else None)


def command(name: str, folder: Path, host: str, port: int) -> Command:
    """The proxy as a server to keep; its configuration must lie in the folder."""
    program = installed()
    if program is None:
        raise EnvironmentProblem(
            f"{name} is served through HAProxy, and there is no haproxy on this machine",
            "Install it (Debian: apt-get install haproxy).",
        )
    return Command(
        (program, "-db", "-f", CONFIG),
        folder,
        ready=(places.reachable(host), port, "/readyz"),
        ready_seconds=30.0,
        stop_signal=signal.SIGUSR1,
    )


def configuration(name: str, host: str, port: int, slots: tuple[Slot, ...]) -> str:
    """The text of haproxy.cfg."""
    lines = []
    for slot in slots:
        state = "" if slot.active else " disabled"
        lines.append(f"    server {slot.name} 127.0.0.1:{slot.port or 1}{state}")
    told = f"[{host}]" if ":" in host else host
    return _TEXT.format(
        name=name,
        socket=_SOCKET,
        bind=f"{told}:{port}",
        bad_gateway=_ENVELOPE.format(code="unavailable", message="the service broke off its answer"),
        unavailable=_ENVELOPE.format(code="unavailable", message="the service is not running"),
        timeout=_ENVELOPE.format(code="timeout", message="no answer within the time allowed"),
        servers="\n".join(lines),
    )


def slots(folder: Path) -> tuple[Slot, ...]:
    """The slots as the configuration in this folder has them."""
    try:
        text = (folder / CONFIG).read_text(encoding="utf-8")
    except OSError:
        return tuple(Slot(name, None) for name in SLOTS)
    found = re.findall(r"^ +server (\w+) 127\.0\.0\.1:(\d+)( disabled)?$", text, re.MULTILINE)
    return tuple(Slot(name, int(port) if port != "1" else None, not disabled) for name, port, disabled in found)


def write(folder: Path, text: str) -> None:
    """Put the configuration in its place; raises `EnvironmentProblem`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{CONFIG}"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(folder / CONFIG)
    except OSError as error:
        raise EnvironmentProblem(
            f"HAProxy's configuration can't be written to {folder}: {error.strerror or error}",
            "Free some room there. What is served stays as it was.",
        ) from error


class Switch:
    """The runtime socket of a running proxy, whose folder this is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def to(self, port: int) -> None:
        """Send all new requests to the server at this port of 127.0.0.1; the other slot drains."""
        there = slots(self.folder)
        new = next((s.name for s in there if s.port == port), None) or next(s.name for s in there if not s.active)
        self._ask(f"set server service/{new} addr 127.0.0.1 port {port}")
        self._ask(f"set server service/{new} state ready")
        for slot in there:
            if slot.name != new:
                self._ask(f"set server service/{slot.name} state drain")

    def drained(self, port: int, timeout: float) -> bool:
        """Wait until the server at this port has no request left; whether that came true in time."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.requests(port) == 0:
                return True
            time.sleep(_POLL)
        return False

    def requests(self, port: int) -> int:
        """Requests at work at the server of this port; none where no slot has it."""
        for line in self._ask("show stat").splitlines():
            fields = line.split(",")
            # svname, scur and addr of HAProxy's list of statistics
            if len(fields) > 73 and fields[0] == "service" and fields[73] == f"127.0.0.1:{port}":
                return int(fields[4] or 0)
        return 0

    def _ask(self, line: str) -> str:
        try:
            answer = self._exchange(line)
        except OSError as error:
            raise EnvironmentProblem(
                f"HAProxy's socket in {self.folder} does not answer: {error.strerror or error}",
                "`nb2prod status` says whether it runs; `nb2prod restart` starts it again.",
            ) from error
        if line.startswith("set ") and answer.strip() and not re.search("changed|no need to change", answer):
            raise EnvironmentProblem(f"HAProxy refused {line!r}: {answer.strip()}")
        return answer

    def _exchange(self, line: str) -> str:
        # By way of the folder's descriptor: a socket's path may have 107 characters only, and homes are long.
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as link:
                link.settimeout(_SECONDS)
                link.connect(f"/proc/self/fd/{descriptor}/{_SOCKET}")
                link.sendall(f"{line}\n".encode())
                parts = []
                while part := link.recv(65536):
                    parts.append(part)
        finally:
            os.close(descriptor)
        return b"".join(parts).decode("utf-8", "replace")
