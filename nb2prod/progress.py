"""How long-running work tells its reader how far it is; the faces decide how that looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
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


_LEAST = 3
"""Parts that an estimate needs: the first alone is seldom like the others (a notebook's first cell imports)."""


class Estimate:
    """Says once how long a long step still takes: after the first tenth of its parts, at the pace of these."""

    def __init__(self, tell: Callable[[str], None], what: str) -> None:
        self._tell = tell
        self._what = what
        self._since = time.perf_counter()
        self._told = False

    def done(self, parts: int, total: int) -> None:
        """`parts` of `total` are done."""
        spent = time.perf_counter() - self._since
        if self._told or parts < max(_LEAST, total / 10) or parts >= total:
            return
        self._told = True
        left = spent * (total - parts) / parts
        if left >= LONG:
            self._tell(f"about {rounded(left)} more {self._what}, at this pace")


LONG = 5.0
"""Seconds from which on a step is worth an estimate."""


def rounded(seconds: float) -> str:
    """Seconds as one says them: `8 s`, `40 s`, `3 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds < 20 else f"{5 * round(seconds / 5):.0f} s"
    return f"{seconds / 60:.0f} min"


class TimedProgress:
    """Passes everything on to another progress and keeps the seconds of each stage in `seconds`.

    `expected` are the seconds of an earlier time: said as a long stage begins, where it has them, else estimated from
    the first tenth of its cells.
    """

    def __init__(self, inner: Progress | None = None, expected: Mapping[str, float] | None = None) -> None:
        self._inner: Progress = inner if inner is not None else NoProgress()
        self._expected = dict(expected or {})
        self._current: str | None = None
        self._since = 0.0
        self._estimate: Estimate | None = None
        self.seconds: dict[str, float] = {}

    def stage(self, name: str) -> None:
        """A stage begins; the time of the one before it is noted."""
        self.finish()
        self._current, self._since = name, time.perf_counter()
        self._inner.stage(name)
        before = self._expected.get(name, 0.0)
        self._estimate = None if before else Estimate(self._inner.message, "for the other cells")
        if before >= LONG:
            self._inner.message(f"{name}: about {rounded(before)}, as the last time")

    def cell(self, done: int, total: int) -> None:
        """Passed on."""
        self._inner.cell(done, total)
        if self._estimate is not None:
            self._estimate.done(done, total)

    def message(self, text: str) -> None:
        """Passed on."""
        self._inner.message(text)

    def finish(self) -> None:
        """Note the time of the running stage, if there is one."""
        if self._current is not None:
            spent = time.perf_counter() - self._since
            self.seconds[self._current] = self.seconds.get(self._current, 0.0) + spent
            self._current = None
