"""GET and DELETE of jobs, and the task of each worker that answers them while nothing else waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from .answering import Answering, job_form
from .compat import timeout
from .http import Failure, Receive, Response, Scope, to_json
from .jobs import Jobs, Unwritable
from .logs import log

_LOOK = 1.0
"""Seconds between two looks for jobs that another worker took in."""
_AGAIN = 5.0
"""Seconds until a queue that can't be used is tried again."""
Handler = Callable[[Scope, Receive, str], Awaitable[Response]]


class JobDesk:
    """The jobs of one worker."""

    def __init__(self, jobs: Jobs, answering: Answering) -> None:
        self._jobs = jobs
        self._answering = answering

    def routes(self, identity: str) -> dict[str, Handler] | None:
        """What may be asked of one job."""
        if not identity or "/" in identity:
            return None
        return {"GET": partial(self._get, identity), "DELETE": partial(self._delete, identity)}

    async def _get(self, identity: str, scope: Scope, receive: Receive, request_id: str) -> Response:
        try:
            job = await asyncio.to_thread(self._jobs.get, identity)
        except Unwritable as problem:
            raise _unusable(problem, request_id) from problem
        if job is None:
            raise Failure(404, "no such job; a finished one is kept for a while, a deleted one is not")
        return Response(200, to_json(job_form(job, self._answering.name, request_id)))

    async def _delete(self, identity: str, scope: Scope, receive: Receive, request_id: str) -> Response:
        try:
            known = await asyncio.to_thread(self._jobs.delete, identity)
        except Unwritable as problem:
            raise _unusable(problem, request_id) from problem
        if not known:
            raise Failure(404, "no such job; a finished one is kept for a while, a deleted one is not")
        return Response(200, to_json({"id": identity, "state": "deleted", "request_id": request_id}))

    async def run(self) -> None:
        """Take jobs and answer them, one at a time, for ever."""
        waits = self._answering.job_waits
        try:
            while True:
                try:
                    while await self._next():
                        pass
                    pause = _LOOK
                except Unwritable as problem:
                    log("jobs wait", level=logging.ERROR, error=str(problem))
                    pause = _AGAIN
                waits.clear()
                try:
                    async with timeout(pause):
                        await waits.wait()
                except TimeoutError:
                    pass
        finally:
            self._jobs.close()

    async def _next(self) -> bool:
        """Answer the oldest waiting job; whether there was one."""
        claimed = await asyncio.to_thread(self._jobs.claim)
        if claimed is None:
            return False
        identity, body = claimed
        work = asyncio.ensure_future(self._answering.work(body))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=_LOOK)
                if not work.done() and not await asyncio.to_thread(self._jobs.is_ours, identity):
                    log("job deleted while at work")
                    return True
            failed, answer = _outcome(work)
        finally:
            work.cancel()
        await asyncio.to_thread(partial(self._jobs.finish, identity, answer, failed=failed))
        self._answering.metrics.job("failed" if failed else "done")
        return True


def _outcome(work: asyncio.Future[bytes]) -> tuple[bool, bytes]:
    """Whether it failed, and the document that says what came of it."""
    error = work.exception()
    if error is None:
        return False, work.result()
    if isinstance(error, Failure):
        details = list(error.details)
        return True, to_json({"error": {"code": "malformed_rows", "message": error.message, "details": details}})
    log("fault", level=logging.ERROR, error=type(error).__name__, at="a job")
    return True, to_json({"error": {"code": "internal_error", "message": "the service failed", "details": []}})


def _unusable(problem: Unwritable, request_id: str) -> Failure:
    log("jobs", level=logging.ERROR, request_id=request_id, error=str(problem))
    return Failure(503, "the queue of jobs can't be used; the service's log says why")
