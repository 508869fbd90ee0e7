"""HAProxy before the servers of a deployment: it holds the port, so that a new version takes over without a gap.

One proxy a deployment, kept like a server. Its backend has two slots; the new version gets the free one, and the
slot of the old one takes no more requests (`drain`) until the last is answered. The change is made through
HAProxy's runtime socket; the configuration file is written first, so that a proxy that is started again comes up
as it was meant to be.

In a staged rollout both slots are at work. Each request is drawn: a random number, or the hash of its header `X-Rollout-Key`, below the share of the
canary's slot gives it to the canary (server weights would be taken in turn, not at random). The share is a variable of the process. What was answered is written to a ring in HAProxy's
memory while a share is above 0, and nowhere else. A request that the canary's server does not take is answered by the stable release.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nb2prod.errors import EnvironmentProblem
from nb2prod.release.running import places
from nb2prod.release.running.kept import Command

SLOTS = ("a", "b")
CONFIG = "haproxy.cfg"
_SOCKET = "admin.sock"
_EXPERIMENTAL = "experimental-mode on; "
_SECONDS = 5.0
_POLL = 0.05

_TEXT = """\
# Written by nb2prod for the deployment {name}; changed with each rollout.
global
    stats socket unix@{socket} mode 600 level admin
    maxconn 2000
    hard-stop-after 60s
{process}defaults
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
{otherwise}frontend front
    bind {bind}
{drawing}    default_backend service
backend service
    # A prediction may be asked twice; what changes something may not.
    http-request disable-l7-retry if METH_POST !{{ path /predict /features }}
    http-error status 502 content-type application/json string '{bad_gateway}'
    http-error status 503 content-type application/json string '{unavailable}'
    http-error status 504 content-type application/json string '{timeout}'
{assignment}{servers}
"""
_PROCESS = """\
    # The share of each slot that has the canary, in ten-thousandths; the word that callers' keys are hashed with.
    set-var proc.share_a int({share_a})
    set-var proc.share_b int({share_b})
    set-var proc.salt str({salt})
ring answers
    format raw
    maxlen 4096
    size 4194304
"""
_OTHERWISE = """\
    # A server that does not take the request is passed by: the other one answers it.
    option redispatch 1
"""
_DRAWING = """\
    log ring@answers len 4000 local0
    log-format "%pid:%rt %[var(txn.salt)] %[var(txn.share)] %[var(txn.draw)] %[var(txn.key)] %ST %Tr %Ta %rc %tsc %[var(txn.answer),base64]"
    http-request set-var(txn.salt) var(proc.salt)
    http-request set-var(txn.share) var(proc.share_a),add(proc.share_b)
    http-request set-log-level silent unless {{ path /predict }} {{ var(txn.share) -m int gt 0 }}
    http-request set-var(txn.draw) rand(10000)
    http-request set-var(txn.key) req.hdr(X-Rollout-Key),concat(,proc.salt),xxh32 if {{ req.hdr(X-Rollout-Key) -m found }}
    http-request set-var(txn.draw) var(txn.key),mod(10000) if {{ var(txn.key) -m found }}
"""
_ASSIGNMENT = """\
    http-response wait-for-body time 1s if {{ path /predict }} {{ var(txn.share) -m int gt 0 }}
    http-response set-var(txn.answer) res.body,bytes(0,2400) if {{ var(txn.share) -m int gt 0 }}
    use-server a if {{ var(txn.draw),sub(proc.share_a) lt 0 }}
    use-server b if {{ var(txn.draw),sub(proc.share_b) lt 0 }}
"""
_DRAWS_FROM = (2, 6)
"""The version of HAProxy from which on it can draw: older ones are before the servers without."""
_ENVELOPE = '{{"error":{{"code":"{code}","message":"{message}","details":[]}},"request_id":null}}'


@dataclass(frozen=True)
class Slot:
    """A place for a server: its port, and whether it gets requests; `share` is that of the canary, in ten-thousandths."""

    name: str
    port: int | None
    active: bool = False
    share: int = 0


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


@cache
def draws(program: str) -> bool:
    """Whether this HAProxy can give a random share of the requests to one server."""
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=False, timeout=20).stdout
    found = re.search(r"version (\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= _DRAWS_FROM


def configuration(name: str, host: str, port: int, slots: tuple[Slot, ...], salt: str = "none") -> str:
    """The text of haproxy.cfg. `salt` is a word of letters and digits."""
    lines = []
    for slot in slots:
        state = "" if slot.active else " weight 0" if slot.share else " disabled"
        lines.append(f"    server {slot.name} 127.0.0.1:{slot.port or 1}{state}")
    told = f"[{host}]" if ":" in host else host
    shares = {f"share_{slot.name}": slot.share for slot in slots}
    able = draws(installed() or "haproxy")
    return _TEXT.format(
        name=name,
        socket=_SOCKET,
        bind=f"{told}:{port}",
        bad_gateway=_ENVELOPE.format(code="unavailable", message="the service broke off its answer"),
        unavailable=_ENVELOPE.format(code="unavailable", message="the service is not running"),
        timeout=_ENVELOPE.format(code="timeout", message="no answer within the time allowed"),
        servers="\n".join(lines),
        process=_PROCESS.format(**shares, salt=salt) if able else "",
        otherwise=_OTHERWISE if able else "",
        drawing=_DRAWING.format() if able else "",
        assignment=_ASSIGNMENT.format() if able else "",
    )


def slots(folder: Path) -> tuple[Slot, ...]:
    """The slots as the configuration in this folder has them."""
    try:
        text = (folder / CONFIG).read_text(encoding="utf-8")
    except OSError:
        return tuple(Slot(name, None) for name in SLOTS)
    shares = {
        name: int(share) for name, share in re.findall(r"^ +set-var proc\.share_(\w) int\((\d+)\)$", text, re.MULTILINE)
    }
    found = re.findall(r"^ +server (\w+) 127\.0\.0\.1:(\d+)( weight 0| disabled)?$", text, re.MULTILINE)
    return tuple(
        Slot(name, int(port) if port != "1" else None, not state, shares.get(name, 0)) for name, port, state in found
    )


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
        self._ask(f"set server service/{new} weight 1")
        self._ask(f"set server service/{new} state ready")
        for slot in there:
            if slot.name != new:
                self._ask(f"set server service/{slot.name} state drain")
        for slot in there:
            if self.share(slot.name):
                self._set(f"share_{slot.name}", "int(0)")

    def draw(self, slot: str, port: int, share: int, salt: str) -> None:
        """Give this share of the requests, in ten-thousandths, to the canary's server at this port; the other server has all others."""
        if not share:
            self._set(f"share_{slot}", "int(0)")
        self._set("salt", f"str({salt})")
        self._ask(f"set server service/{slot} addr 127.0.0.1 port {port}")
        # No request falls to it but by its draw.
        self._ask(f"set server service/{slot} weight 0")
        self._ask(f"set server service/{slot} state {'ready' if share else 'drain'}")
        self._set(f"share_{slot}", f"int({share})")

    def share(self, slot: str) -> int | None:
        """The share that this slot's canary has at this moment; None for a proxy that can't draw."""
        found = re.search(r"value=<(\d+)>", self._ask(f"{_EXPERIMENTAL}get var proc.share_{slot}"))
        return None if found is None else int(found[1])

    def answers(self) -> list[str]:
        """What was answered last while there was a canary: HAProxy's lines, the newest last."""
        return [line for line in self._ask("show events answers").splitlines() if line]

    def _set(self, name: str, value: str) -> None:
        answer = self._ask(f"{_EXPERIMENTAL}set var proc.{name} {value}")
        if answer.strip():
            raise EnvironmentProblem(f"HAProxy refused the variable {name}: {answer.strip()}")

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
