"""Asks one service over keep-alive connections for some seconds and prints what it saw, as JSON.

    python load.py PORT PATH BODIES.json CONNECTIONS SECONDS [HEALTH_PATH]

``BODIES.json`` is a list of bodies, asked in turns. With a health path, one more connection asks that every 50 ms and the
slowest answer is reported: a service under load must still be seen to live.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

PATIENCE = 20.0


class Connection(asyncio.Protocol):
    """One connection that asks again as soon as it has its answer."""

    def __init__(self, requests: list[bytes], at: int, until: float, done: asyncio.Future[None]) -> None:
        self.requests, self.at, self.until, self.done = requests, at, until, done
        self.took: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.buffer = b""
        self.need = -1

    def connection_made(self, transport: Any) -> None:
        """Ask the first."""
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Ask the next."""
        self.at = (self.at + 1) % len(self.requests)
        self.begin = time.perf_counter()
        self.transport.write(self.requests[self.at])

    def data_received(self, data: bytes) -> None:
        """Part of an answer."""
        self.buffer += data
        if self.need < 0:
            head, found, _ = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            self.status = head[9:12].decode()
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            self.need = len(head) + 4 + int(lengths[0][15:])
        if len(self.buffer) < self.need:
            return
        now = time.perf_counter()
        self.took.append(now - self.begin)
        self.statuses[self.status] += 1
        self.buffer, self.need = b"", -1
        if now < self.until:
            self.ask()
        else:
            self.finish()

    def connection_lost(self, problem: Exception | None) -> None:
        """The service closed it: that request is lost."""
        if not self.done.done():
            self.statuses["lost"] += 1
            self.finish()

    def finish(self) -> None:
        """No more."""
        if not self.done.done():
            self.done.set_result(None)
        self.transport.close()


def request(path: str, body: bytes, port: int) -> bytes:
    """One request's bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def health(port: int, path: str, until: float) -> float:
    """The longest time that a health check took, in milliseconds."""
    worst = 0.0
    while time.perf_counter() < until:
        begin = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        if b" 200 " not in answer[:20]:
            return float("inf")
        worst = max(worst, (time.perf_counter() - begin) * 1000)
        await asyncio.sleep(0.05)
    return worst


async def run(port: int, path: str, bodies: list[str], connections: int, seconds: float, watch: str | None) -> Any:
    """Ask, and say what came."""
    loop = asyncio.get_running_loop()
    requests = [request(path, body.encode(), port) for body in bodies]
    begin = time.perf_counter()
    until = begin + seconds
    made = []
    for number in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        at = number * len(requests) // connections
        _, one = await loop.create_connection(lambda a=at, d=done: Connection(requests, a, until, d), "127.0.0.1", port)
        made.append(one)
    checks = asyncio.create_task(health(port, watch, until)) if watch else None
    await asyncio.wait([one.done for one in made], timeout=seconds + PATIENCE)
    span = time.perf_counter() - begin
    took = sorted(t for one in made for t in one.took)
    statuses: Counter[str] = Counter()
    for one in made:
        statuses.update(one.statuses)
        statuses["silent"] += not one.done.done()
    good = sum(count for status, count in statuses.items() if status.startswith("2"))
    return {
        "requests_per_second": good / span,
        "p50": took[len(took) // 2] * 1000 if took else None,
        "p99": took[int(len(took) * 0.99)] * 1000 if took else None,
        "good": good,
        "bad": {status: count for status, count in statuses.items() if count and not status.startswith("2")},
        "health": await checks if checks else None,
    }


def main(port: str, path: str, bodies: str, connections: str, seconds: str, watch: str | None = None) -> None:
    """Print it."""
    asked = json.loads(Path(bodies).read_text())
    print(json.dumps(asyncio.run(run(int(port), path, asked, int(connections), float(seconds), watch))))


if __name__ == "__main__":
    main(*sys.argv[1:])
