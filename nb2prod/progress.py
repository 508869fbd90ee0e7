"""How long-running work tells its reader how far it is; the faces decide how that looks."""

from __future__ import annotations

import time
from typing import Protocol


class Progress(Protocol):
    """Told by the pipeline. Calls come in order: a stage, its cells or messages, the next stage."""

    def stage(self, name: str) -> None:
        """A stage begins (and the one before it ends)."""

    def cell(self, done: int, total: int) -> None:
        """`done` of `total` cells of the notebook have run."""

    def message(self, text: str) -> None:
        """Something worth a line."""


class NoProgress:
    """Says nothing."""

    def stage(self, name: str) -> None:
        """Ignored."""

    def cell(self, done: int, total: int) -> None:
        """Ignored."""

    def message(self, text: str) -> None:
        """Ignored."""


class TimedProgress:
    """Passes everything on to another progress and keeps the seconds of each stage in `seconds`."""

    def __init__(self, inner: Progress | None = None) -> None:
        self._inner: Progress = inner if inner is not None else NoProgress()
        self._current: str | None = None
        self._since = 0.0
        self.seconds: dict[str, float] = {}

    def stage(self, name: str) -> None:
        """A stage begins; the time of the one before it is noted."""
        self.finish()
        self._current, self._since = name, time.perf_counter()
        self._inner.stage(name)

    def cell(self, done: int, total: int) -> None:
        """Passed on."""
        self._inner.cell(done, total)

    def message(self, text: str) -> None:
        """Passed on."""
        self._inner.message(text)

    def finish(self) -> None:
        """Note the time of the running stage, if there is one."""
        if self._current is not None:
            spent = time.perf_counter() - self._since
            self.seconds[self._current] = self.seconds.get(self._current, 0.0) + spent
            self._current = None
