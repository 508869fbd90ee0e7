"""The processes of a Bento under proof: two servers and one without HTTP, each under a hash seed of its own."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from nb2prod.environments import served
from nb2prod.environments.served import ServedEnvironment
from nb2prod.parity.inprocess import Worker
from nb2prod.parity.server import Server


class Processes:
    """A context manager; each process starts when it is asked for, and ends with it.

    `seeds` are the values of PYTHONHASHSEED of the first server, of the second (which works row by row), and of
    the process without HTTP; `environment` is where they run, by default that of the Bento's pins.
    """

    def __init__(self, bento: Path, seeds: tuple[int, int, int], environment: ServedEnvironment | None = None) -> None:
        environment = environment or served.of_bento(bento)
        self.seeds = seeds
        first, second, third = seeds
        self._first = Server(bento, hash_seed=first, environment=environment)
        self._second = Server(bento, hash_seed=second, batching=False, environment=environment)
        self._worker = Worker(bento, hash_seed=third, environment=environment)
        self._ready: set[Server] = set()
        self._begun: set[Server | Worker] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in (self._first, self._second, self._worker):
            process.__exit__(kind, error, trace)

    def begin(self) -> None:
        """Start those that will be asked later; each is waited for when it is."""
        self._begin(self._worker)
        self._begin(self._second)

    def first(self) -> Server:
        """The first server, ready. Raises `ServiceFault` where it does not get ready, as `second` does."""
        return self._waited(self._first)

    def second(self) -> Server:
        """The second server, ready."""
        return self._waited(self._second)

    def worker(self) -> Worker:
        """The process without HTTP; its first request waits for it."""
        self._begin(self._worker)
        return self._worker

    def _begin(self, process: Server | Worker) -> None:
        if process not in self._begun:
            self._begun.add(process)
            process.start()

    def _waited(self, server: Server) -> Server:
        self._begin(server)
        if server not in self._ready:
            server.wait()
            self._ready.add(server)
        return server
