"""From a request's body to its answer: what is asked of the model, and what happens when it can't answer.

Here the decisions of ``options`` are carried out: how long an answer may take, how many may wait, and whether a request that
the model can't answer gets an error, the rule-based answer, or a job.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import msgspec

from . import seam, tracing
from .batcher import Batcher, Overtime
from .http import Failure, Receive, Response, Scope, check_json, read_body, to_json
from .jobs import Full, Job, Jobs, Unwritable
from .keys import PROBE
from .metrics import Metrics
from .model import Answer, Model, RowError
from .options import Options
from .rows import Decoded, Decoder, MalformedBody, Rows

_INLINE_BODY = 200_000
_DETAILS = 1_000
_RETRY = ((b"retry-after", b"1"),)
_SPARE = 2
"""Times the limit of requests at once up to which the rule-based answer, or a job, still stands in."""
PREDICTIONS, FEATURES, FALLBACK = "predictions", "features", "fallback"


@dataclass(frozen=True)
class Answered:
    """What a request got: the document's values, and which rows the rules answered and why."""

    answer: Answer
    fallbacks: tuple[tuple[int, str], ...] = ()


CALLER = "nb2prod.caller"
"""Who asks, in the request's scope: see ``Keys.check``."""
Note = Callable[[Rows, Answered, float, str, "str | None"], None]
"""Rows, their answer, the seconds it took, the request's id, and who asked."""


class Answering:
    """Answers the requests of one worker.

    Args:
        name: name:version, as in the answers.
        jobs: the queue; None where there is none.
    """

    def __init__(
        self, name: str, model: Model, decoder: Decoder, options: Options, metrics: Metrics, jobs: Jobs | None = None
    ) -> None:
        self.name = name
        self.options = options
        self.metrics = metrics
        self.jobs = jobs
        self.decoder = decoder
        self.note: Note | None = None
        """Told of each answered request of /predict."""
        self.job_waits = asyncio.Event()
        self._in_flight = 0
        most = options.max_batch_rows
        self.batchers = {
            PREDICTIONS: Batcher(partial(seam.predictions, model, decoder), most, self._ran),
            FEATURES: Batcher(partial(seam.features, model, decoder), most),
            FALLBACK: Batcher(partial(seam.fallbacks, model, decoder), most),
        }

    async def post(self, kind: str, scope: Scope, receive: Receive, request_id: str) -> Response:
        """The answer to a request for predictions, features or rule-based answers."""
        busy = self._in_flight >= self.options.max_in_flight
        stands_in = kind == PREDICTIONS and self.options.cannot_answer != "fail"
        if busy and not (stands_in and self._in_flight < _SPARE * self.options.max_in_flight):
            raise Failure(429, "too many requests at once", headers=_RETRY)
        self._in_flight += 1
        self.metrics.in_flight.inc()
        try:
            body, decoded, started = await self._taken(scope, receive)
            if kind != PREDICTIONS:
                answer = await self._in_time(kind, decoded.rows, self._left(started))
                return self._response(kind, Answered(answer), decoded, request_id)
            if busy and self.options.cannot_answer == "queue":
                return await self._queued(body, decoded, request_id)
            return await self._predicted(body, decoded, started, request_id, busy=busy, caller=scope.get(CALLER))
        finally:
            self._in_flight -= 1
            self.metrics.in_flight.dec()

    # -- predictions, and what stands in for them --

    async def _predicted(
        self,
        body: bytes | bytearray,
        decoded: Decoded,
        started: float,
        request_id: str,
        *,
        busy: bool,
        caller: str | None,
    ) -> Response:
        try:
            if busy:
                answered = await self._stood_in(decoded.rows, "busy")
            else:
                answered = await self._by_model(decoded.rows, self._left(started))
        except Overtime:
            self.metrics.overtime.inc()
            if self.options.cannot_answer == "queue":
                return await self._queued(body, decoded, request_id)
            if self.options.cannot_answer == "fail":
                raise _late(self.options.latency_budget) from None
            answered = await self._stood_in(decoded.rows, "over_budget")
        response = self._response(PREDICTIONS, answered, decoded, request_id)
        if self.note is not None and caller != PROBE:
            self.note(decoded.rows, answered, time.perf_counter() - started, request_id, caller)
        return response

    async def _by_model(self, rows: Rows, seconds: float | None, *, patient: bool = False) -> Answered:
        with tracing.span("model", rows=rows.count):
            answer = await self.batchers[PREDICTIONS].answer(rows, seconds, patient=patient)
        if self.options.cannot_answer != "fallback":
            return Answered(answer)
        failed = [error.row for error in answer.errors if error.code == "row_failed"]
        if not failed:
            return Answered(answer)
        ruled = await self._stood_in(rows.take(failed), "row_failed")
        reasons = tuple((failed[at], reason) for at, reason in ruled.fallbacks)
        values = {failed[at]: ruled.answer.predictions[at] for at, _ in ruled.fallbacks}
        return Answered(seam.ruled(answer, values), reasons)

    async def _stood_in(self, rows: Rows, reason: str) -> Answered:
        """The rule-based answer; a row on which its code fails has none of either kind."""
        answer = await self._in_time(FALLBACK, rows, self.options.latency_budget)
        failed = {error.row for error in answer.errors}
        ruled = tuple((at, reason) for at in range(rows.count) if at not in failed)
        self.metrics.fell_back(reason, len(ruled))
        return Answered(answer, ruled)

    async def _in_time(self, kind: str, rows: Rows, seconds: float) -> Answer:
        try:
            with tracing.span(kind, rows=rows.count):
                return await self.batchers[kind].answer(rows, seconds)
        except Overtime:
            self.metrics.overtime.inc()
            raise _late(self.options.latency_budget) from None

    def _left(self, started: float) -> float:
        return self.options.latency_budget - (time.perf_counter() - started)

    # -- jobs --

    async def submit(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        """POST /jobs: the rows are checked now and answered later."""
        if self._in_flight >= self.options.max_in_flight:
            raise Failure(429, "too many requests at once", headers=_RETRY)
        self._in_flight += 1
        try:
            body, decoded, _ = await self._taken(scope, receive)
            return await self._queued(body, decoded, request_id)
        finally:
            self._in_flight -= 1

    async def _queued(self, body: bytes | bytearray, decoded: Decoded, request_id: str) -> Response:
        assert self.jobs is not None
        try:
            job = await asyncio.to_thread(self.jobs.submit, bytes(body), decoded.count)
        except Full:
            message = f"{self.options.max_jobs} jobs wait already"
            raise Failure(429, message, headers=((b"retry-after", b"10"),)) from None
        except Unwritable as problem:
            raise Failure(503, "the queue of jobs can't be written; the service's log says why") from problem
        self.metrics.job(job.state)
        self.job_waits.set()
        headers = ((b"location", f"/jobs/{job.id}".encode()),)
        return Response(202, to_json(job_form(job, self.name, request_id)), headers=headers)

    async def work(self, body: bytes) -> bytes:
        """The document that answers a job's body, made while nothing else waits.

        Raises:
            Failure: the body is none that this version takes.
        """
        decoded = await self._decoded(body)
        self._check(decoded)
        answered = await self._by_model(decoded.rows, None, patient=True)
        return to_json(self._document(PREDICTIONS, answered, decoded))

    # -- bodies and documents --

    async def _taken(self, scope: Scope, receive: Receive) -> tuple[bytes | bytearray, Decoded, float]:
        """The request's body, its rows, and when it had come whole."""
        check_json(scope)
        body = await read_body(scope, receive, self.options.max_body_bytes, self.options.body_timeout)
        started = time.perf_counter()
        with tracing.span("decode", bytes=len(body)):
            decoded = await self._decoded(body)
        self.metrics.stage("decode", time.perf_counter() - started)
        self._check(decoded)
        return body, decoded, started

    async def _decoded(self, body: bytes | bytearray) -> Decoded:
        try:
            if len(body) < _INLINE_BODY:
                return self.decoder.parse(body)
            return await asyncio.to_thread(self.decoder.parse, body)
        except MalformedBody as problem:
            raise Failure(400, str(problem)) from None

    def _check(self, decoded: Decoded) -> None:
        if decoded.count > self.options.max_rows:
            reason = f"{decoded.count} rows are more than {self.options.max_rows}; send fewer at a time"
            raise Failure(422, reason, [{"row": None, "field": "rows", "reason": reason}])
        if not decoded.problems:
            return
        self.metrics.refused(decoded.problems)
        whole = any(problem.row is None for problem in decoded.problems)
        if whole or self.options.on_row_error == "refuse":
            details = [{"row": p.row, "field": p.field, "reason": p.reason} for p in decoded.problems[:_DETAILS]]
            bad = decoded.count - len(decoded.positions)
            message = "the body is malformed" if whole else f"{bad} of {decoded.count} rows are malformed"
            raise Failure(422, message, details)

    def _response(self, kind: str, answered: Answered, decoded: Decoded, request_id: str) -> Response:
        started = time.perf_counter()
        with tracing.span("encode"):
            document = self._document(kind, answered, decoded)
            document["request_id"] = request_id
            response = Response(200, to_json(document))
        self.metrics.stage("encode", time.perf_counter() - started)
        return response

    def _document(self, kind: str, answered: Answered, decoded: Decoded) -> dict[str, Any]:
        answer, ruled = answered.answer, answered.fallbacks
        if decoded.problems:
            answer = _with_malformed(answer, decoded)
            ruled = tuple((decoded.positions[at], reason) for at, reason in ruled)
        made: dict[str, Any] = {
            PREDICTIONS if kind == FALLBACK else kind: answer.predictions,
            "errors": [error.to_json() for error in answer.errors],
            "model": self.name,
        }
        if kind == PREDICTIONS and self.options.cannot_answer == "fallback":
            made["fallbacks"] = [{"row": row, "reason": reason} for row, reason in ruled]
        return made

    def _ran(self, rows: Rows, answer: Answer, seconds: float) -> None:
        self.metrics.ran(rows, answer.predictions, answer.errors)


def job_form(job: Job, model: str, request_id: str) -> dict[str, Any]:
    """The document of a job."""
    return {
        "id": job.id,
        "state": job.state,
        "rows": job.rows,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "answer": None if job.answer is None else msgspec.Raw(job.answer),
        "model": model,
        "request_id": request_id,
    }


def _late(seconds: float) -> Failure:
    return Failure(504, f"no answer within {seconds:g} seconds")


def _with_malformed(answer: Answer, decoded: Decoded) -> Answer:
    """The good rows' answers at their places in the request, the malformed rows as errors."""
    values: list[Any] = [None] * decoded.count
    positions: Sequence[int] = decoded.positions
    for position, value in zip(positions, answer.predictions, strict=True):
        values[position] = value
    errors = [replace(error, row=positions[error.row]) for error in answer.errors]
    errors += [RowError(p.row or 0, "row_malformed", p.reason, p.field) for p in decoded.problems]
    return Answer(values, sorted(errors, key=lambda error: error.row))
