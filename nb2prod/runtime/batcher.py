"""Runs rows through the model for many requests at once, in the server's event loop.

What waits is taken together. Most of a batch's cost does not depend on its size, so after a batch of several callers the
next one begins a moment later: these callers are likely to ask again at once, and then run together and not in two
halves that wait for each other. A caller alone never waits. What has time (jobs) runs when nothing else waits, in small parts,
and if that never comes, one part a second. A batch is bounded in rows and, by what the last ones took,
in time, so that health checks are answered under full load. Rows that must run one by one (no proof of independence)
take the same way: only the model treats them singly.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .model import Answer, RowError
from .rows import Rows

Run = Callable[[Rows], Answer]
_BOUND = 0.05
"""Seconds that one batch may hold the event loop, where one row alone takes less than half of it."""
_SLOW = 0.1
"""Seconds for one row from which on batches run in a thread of their own."""
_GATHER = 0.5
"""Part of the last batch's time for which its callers may be waited for."""
_GATHER_MOST = 0.01
_GATHER_STEP = 0.0005
_QUIET_ROUNDS = 3
"""Rounds of the event loop without anyone new, after which nobody else is on the way in."""
_MOST_ROUNDS = 64
_CROWDED = 4
"""Times that a batch may take longer than it costs the processor before that counts."""
_PATIENT_ROWS = 32
_PATIENCE = 1.0
"""Seconds after which even what has time gets one small turn."""


class Overtime(Exception):
    """The answer did not come in time."""


@dataclass
class _Job:
    rows: Rows
    done: asyncio.Future[Answer]
    patient: bool = False
    taken: int = 0
    values: list[Any] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


class _Arrivals:
    """Tells how long the loop is to be left alone before the next batch blocks it.

    It takes one new connection a round, whose request is read in the next round and asked in the one after: with a batch between any two
    rounds the last of many callers, and the health check behind them, would wait for as many batches as there are callers.
    """

    def __init__(self) -> None:
        self.count = 0
        self._seen = self._quiet = self._rounds = 0

    def go_on(self) -> bool:
        """Whether the loop should have another round: someone came within the last few of them."""
        self._quiet = self._quiet + 1 if self.count == self._seen else 0
        self._seen = self.count
        self._rounds += 1
        if self._quiet < _QUIET_ROUNDS and self._rounds < _MOST_ROUNDS:
            return True
        self._quiet = self._rounds = 0
        return False


class Batcher:
    """One queue of rows before one function.

    Args:
        run: ready rows -> one value a row; the one seam to the model.
        most: rows that may run together.
        note: told of every batch and its answer.
    """

    def __init__(self, run: Run, most: int, note: Callable[[Rows, Answer, float], None] | None = None) -> None:
        self._run = run
        self._most = most
        self._bound = min(most, 32)
        self._one = 0.0
        self._note = note
        self._waiting: deque[_Job] = deque()
        self._patient: deque[_Job] = deque()
        self._last_patient = 0.0
        self._callers = 0
        """How many asked at once lately."""
        self._gather = 0.0
        """Seconds for which the callers of the last batch may be waited for, once they have their answers."""
        self._until = 0.0
        self._arrivals = _Arrivals()
        self._busy = False
        """Whether the turn comes right after a batch, and not after a time without work."""
        self._scheduled = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool: ThreadPoolExecutor | None = None

    def measured(self, seconds: float) -> None:
        """Tell what one row takes, measured at warm-up."""
        self._one = seconds
        # As if each row cost as much; it grows as fast as many prove to cost no more.
        self._bound = max(1, min(self._bound, int(_BOUND / max(seconds, 1e-6))))
        if seconds > _SLOW and self._pool is None:
            self._pool = ThreadPoolExecutor(1, "model")

    async def answer(self, rows: Rows, seconds: float | None, *, patient: bool = False) -> Answer:
        """The answer to these rows, within so many seconds if that is said; `patient` rows let others go first.

        Raises:
            Overtime: it did not come within the seconds; rows that had not begun are dropped.
        """
        if not rows.count:
            return Answer([])
        loop = asyncio.get_running_loop()
        job = _Job(rows, loop.create_future(), patient)
        if patient and not self._patient:
            self._last_patient = loop.time()
        (self._patient if patient else self._waiting).append(job)
        self._arrivals.count += 1
        if not self._scheduled or self._loop is not loop:
            # A turn that another, ended loop was to take will never come.
            self._scheduled, self._loop, self._until, self._gather = True, loop, 0.0, 0.0
            loop.call_soon(self._turn, loop)
        timer = None if seconds is None else loop.call_later(seconds, _expire, job.done)
        try:
            return await job.done
        finally:
            if timer is not None:
                timer.cancel()

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        if self._gather:
            self._until, self._gather = now + self._gather, 0.0
        if now < self._until and len(self._waiting) < self._callers:
            loop.call_later(_GATHER_STEP, self._turn, loop)
            return
        if (self._busy or self._callers > 1) and self._arrivals.go_on():
            loop.call_soon(self._turn, loop)
            return
        self._busy = False
        batch = self._take(now)
        if not batch:
            self._scheduled = False
            return
        parts = [job.rows if whole else job.rows.take(span) for job, span, whole in batch]
        rows = Rows.joined(parts)
        self._callers = max(len(batch) + len(self._waiting), self._callers - 1 - self._callers // 8)
        started = time.perf_counter()
        if self._pool is not None:
            future = loop.run_in_executor(self._pool, self._safely, rows)
            future.add_done_callback(lambda done: self._finish(loop, batch, rows, done.result(), started))
            return
        self._finish(loop, batch, rows, self._safely(rows), started)

    def _take(self, now: float) -> list[tuple[_Job, range, bool]]:
        """The next rows: of those who wait, else of those who have time."""
        batch: list[tuple[_Job, range, bool]] = []
        if not self._patient or now - self._last_patient < _PATIENCE:
            batch = self._drawn(self._waiting, self._bound)
        if not batch and self._patient:
            batch = self._drawn(self._patient, min(self._bound, _PATIENT_ROWS))
        return batch or self._drawn(self._waiting, self._bound)

    @staticmethod
    def _drawn(waiting: deque[_Job], room: int) -> list[tuple[_Job, range, bool]]:
        """The next rows of these jobs, as many as there is room for."""
        batch = []
        while waiting and room > 0:
            job = waiting[0]
            if job.done.done():
                waiting.popleft()
                continue
            span = range(job.taken, min(job.rows.count, job.taken + room))
            batch.append((job, span, len(span) == job.rows.count))
            job.taken = span.stop
            room -= len(span)
            if job.taken == job.rows.count:
                waiting.popleft()
        return batch

    def _safely(self, rows: Rows) -> tuple[Answer | Exception, float]:
        """The answer, and the processor's time that it took."""
        started = time.thread_time()
        answer: Answer | Exception
        try:
            answer = self._run(rows)
        except Exception as error:  # ours to hand to each caller; the loop must go on
            answer = error
        return answer, time.thread_time() - started

    def _finish(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[_Job, range, bool]],
        rows: Rows,
        made: tuple[Answer | Exception, float],
        started: float,
    ) -> None:
        answer, worked = made
        self._busy = True
        seconds = time.perf_counter() - started
        if batch[0][0].patient:
            # From its end on: a turn that takes longer than the patience must not give it the next one too.
            self._last_patient = loop.time()
        # On a machine with other work a batch takes longer than it costs, and smaller ones would only add to that.
        self._adapt(rows.count, max(worked, seconds / _CROWDED))
        if isinstance(answer, Exception):
            for job, _, _ in batch:
                if not job.done.done():
                    job.done.set_exception(answer)
        else:
            self._share(batch, answer)
            if self._note is not None:
                self._note(rows, answer, seconds)
        if len(batch) > 1:
            # Those who wait for these answers run before the next turn: by then the answers are out.
            self._gather = min(_GATHER_MOST, _GATHER * seconds)
        loop.call_soon(self._turn, loop)

    def _share(self, batch: list[tuple[_Job, range, bool]], answer: Answer) -> None:
        start = 0
        for job, span, _ in batch:
            job.values += answer.predictions[start : start + len(span)]
            if answer.errors:
                stop, shift = start + len(span), span.start - start
                mine = [error for error in answer.errors if start <= error.row < stop]
                job.errors += [error.at(error.row + shift) for error in mine]
            start += len(span)
            if len(job.values) == job.rows.count and not job.done.done():
                job.done.set_result(Answer(job.values, job.errors))

    def _adapt(self, count: int, seconds: float) -> None:
        """Choose how many rows may run together next.

        A batch costs something as such (most of it, in pandas) and something for each row; only the latter is a
        reason for fewer rows. So the time allowed is never less than twice what one row takes alone.
        """
        if count == 1:
            self._one += (seconds - self._one) * 0.1
        allowed = max(_BOUND, 2 * self._one)
        if seconds > allowed and count > 1:
            each = (seconds - self._one) / count
            self._bound = max(1, min(self._most, int((allowed - self._one) / each)))
        elif count >= self._bound and seconds < 0.75 * allowed:
            self._bound = min(self._most, self._bound * 2)


def _expire(done: asyncio.Future[Answer]) -> None:
    if not done.done():
        done.set_exception(Overtime())
