"""Ports of 127.0.0.1: a free one, and whether the server that answers at one is ours."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from nb2prod.parity.guardian import descendants

_LISTENING = "0A"


def free() -> int:
    """A port that nobody listens at. Another process may take it before a server does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_held_below(port: int, root: int) -> bool:
    """Whether a process below `root` listens at the port; True where /proc does not tell."""
    table = Path("/proc/net/tcp")
    if not table.is_file():
        return True
    sockets = {f"socket:[{inode}]" for inode in _listening(table, port)}
    return any(_has(pid, sockets) for pid in descendants(root))


def _listening(table: Path, port: int) -> Iterator[str]:
    for line in table.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
            yield fields[9]


def _has(pid: int, sockets: set[str]) -> bool:
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                if str(entry.readlink()) in sockets:
                    return True
    return False
