"""Processes in the served environment that answer tables."""

from __future__ import annotations

import json
import queue
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa

from nb2prod.environments import served
from nb2prod.environments.served import ServedEnvironment
from nb2prod.errors import InputError
from nb2prod.parity.bento_process import BentoProcess
from nb2prod.parity.faults import ServiceFault
from nb2prod.runtime.batch.worker import packed, read_message, unpacked, write_message

_MODULE = "nb2prod_runtime.batch.worker"
_TRIES = 2
"""A process may be killed for its memory; what is killed twice by the same rows will be again."""


@dataclass(frozen=True)
class Scored:
    """Answers, a row each, and what is wrong with rows: see `runtime.batch.scoring`."""

    answers: pa.Table
    errors: pa.Table


class TableWorker(BentoProcess):
    """`python -m nb2prod_runtime.batch.worker PROJECT`."""

    def __init__(self, bento: Path, environment: ServedEnvironment) -> None:
        super().__init__(bento, _MODULE, hash_seed=0, environment=environment)
        self._ready = False

    def score(self, table: pa.Table) -> Scored:
        """Raises `ServiceFault` where the process died, `InputError` where the table can't be scored as a whole."""
        if not self._ready:
            self._told(self._message())
            self._ready = True
        process = self.running()
        assert process.stdin is not None
        try:
            write_message(process.stdin, packed(table))
            process.stdin.flush()
        except OSError as error:
            raise self.fault("ended") from error
        answers, errors = self._message(), self._message()
        if not errors:
            self._told(answers)
        return Scored(unpacked(answers), unpacked(errors))

    def _message(self) -> bytes:
        process = self.running()
        assert process.stdout is not None
        body = read_message(process.stdout)
        if body is None:
            process.wait()
            raise self.fault(f"ended with status {process.returncode}")
        return body

    def _told(self, message: bytes) -> None:
        document = json.loads(message)
        if "problem" in document:
            raise InputError(str(document["problem"]))


class Workers:
    """So many processes of one Bento, which any thread may ask; a context manager that ends them.

    Raises `InputError` where the Bento's runtime knows no tables, and as `served.of_bento` does.
    """

    def __init__(self, bento: Path, count: int) -> None:
        if not (bento / "src" / "nb2prod_runtime" / "batch").is_dir():
            raise InputError(
                f"{bento.parent.name}:{bento.name} was built before tables could be scored", "Build the notebook again."
            )
        self._bento = bento
        self._environment = served.of_bento(bento)
        self._all = [TableWorker(bento, self._environment) for _ in range(count)]
        self._idle: queue.SimpleQueue[TableWorker] = queue.SimpleQueue()
        self._ended = False
        self.count = count

    def __enter__(self) -> Self:
        for worker in self._all:
            worker.start()
            self._idle.put(worker)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        for worker in self._all:
            worker.stop()

    def score(self, table: pa.Table) -> Scored:
        """By whichever is idle. One that was killed is started again, once for the same rows."""
        worker = self._idle.get()
        try:
            for _ in range(_TRIES - 1):
                try:
                    return worker.score(table)
                except ServiceFault:
                    if self._ended:
                        raise
                worker = self._replaced(worker)
            return worker.score(table)
        finally:
            self._idle.put(worker)

    def _replaced(self, worker: TableWorker) -> TableWorker:
        worker.stop()
        fresh = TableWorker(self._bento, self._environment)
        self._all[self._all.index(worker)] = fresh
        fresh.start()
        return fresh
