"""The in-process floor: the same code on rows from a DataFrame, no HTTP, in turns with a service that is asked.

    python in_process.py FOLDER PORT BODIES.json SECONDS

prints JSON. A machine's speed may change by a half within a second (a neighbour on the same core), so the service and the
code take turns of ten rows each: what slows the one slows the other.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import joblib
from features import features, frame_of
from load import request

TURN = 10
WARM = 3
"""Turns that don't count."""


class InProcess:
    """The code by hand with the model it needs."""

    def __init__(self, folder: Path) -> None:
        self.kept = joblib.load(folder / "model.joblib")
        self.rows = json.loads((folder / "rows.json").read_text())["rows"]

    def took(self, at: int, count: int, pause: float = 0.0) -> float:
        """Milliseconds for so many rows at once, from the rows' DataFrame on; after a pause of so many seconds."""
        start = (at * count) % (len(self.rows) - count + 1)
        frame = frame_of(self.rows[start : start + count])
        if pause:
            time.sleep(pause)
        begin = time.perf_counter()
        self.kept["model"].predict(features(frame, self.kept["medians"]))
        return (time.perf_counter() - begin) * 1000


class Asked:
    """A service at one keep-alive connection."""

    def __init__(self, port: int, bodies: list[str]) -> None:
        self.requests = [request("/predict", body.encode(), port) for body in bodies]
        self.socket = socket.create_connection(("127.0.0.1", port))

    def took(self, at: int) -> float:
        """Milliseconds for one request."""
        begin = time.perf_counter()
        self.socket.sendall(self.requests[at % len(self.requests)])
        answer = self.socket.recv(65536)
        while True:
            head, found, body = answer.partition(b"\r\n\r\n")
            if found and len(body) >= int(head.lower().partition(b"content-length:")[2].split()[0]):
                break
            answer += self.socket.recv(65536)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"the service answered {answer[:200]!r}")
        return (time.perf_counter() - begin) * 1000


def turns(kinds: dict[str, Callable[[int], float]], seconds: float) -> list[dict[str, float]]:
    """The median of each kind in each turn of ten."""
    made: list[dict[str, float]] = []
    until = time.perf_counter() + seconds
    while len(made) < WARM + 1 or time.perf_counter() < until:
        span = range(len(made) * TURN, (len(made) + 1) * TURN)
        made.append({name: statistics.median(took(at) for at in span) for name, took in kinds.items()})
    return made[WARM:]


def main(folder: str, port: str, bodies: str, seconds: str) -> None:
    """Measure and print."""
    code, asked = InProcess(Path(folder)), Asked(int(port), json.loads(Path(bodies).read_text()))
    kinds: dict[str, Callable[[int], float]] = {
        "ours": asked.took,
        "1": lambda at: code.took(at, 1),
        # A service sleeps until it is asked: what being woken costs on this machine.
        "1 after a pause": lambda at: code.took(at, 1, 0.001),
        "256": lambda at: code.took(at, 256),
    }
    seen = turns(kinds, float(seconds))
    medians: dict[str, Any] = {name: statistics.median(turn[name] for turn in seen) for name in kinds}
    ratios = {name: statistics.median(turn["ours"] / turn[name] for turn in seen) for name in ("1", "1 after a pause")}
    print(json.dumps({"p50": medians, "ours_over": ratios, "turns": len(seen)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
