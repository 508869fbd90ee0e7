"""Runs a server so that nothing of it outlives the one who asked: `python -I guardian.py COMMAND...`.

Standard input is a lifeline: when it closes (the asking process let go of it, was interrupted, or was
killed outright) the server and everything it started are killed. BentoML's workers put themselves into
sessions of their own, so killing a process group is not enough: on Linux the guardian is the subreaper
of all of them and finds them as its children. Standard library only, as it starts with each server.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
_POLL = 0.1


def descendants(root: int) -> list[int]:
    """The processes below `root`, as /proc tells; none where there is no /proc."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # "pid (name) state parent": the name may hold spaces and brackets.
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            yield int(entry.parent.name), int(fields[1])


def kill_all(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and all below this process, again until none is left."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
        living = descendants(os.getpid())
        for pid in living:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        if child.poll() is not None and not descendants(os.getpid()):
            return
        time.sleep(0.02)


def _reap() -> None:
    with contextlib.suppress(OSError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main() -> int:
    """Run the command until it ends or the lifeline closes; returns its exit status."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    lifeline = sys.stdin.fileno()
    try:
        while child.poll() is None:
            readable, _, _ = select.select([lifeline], [], [], _POLL)
            if readable and not os.read(lifeline, 1024):
                break
    finally:
        code = child.poll()
        kill_all(child)
    return code if code is not None else 0


if __name__ == "__main__":
    sys.exit(main())
