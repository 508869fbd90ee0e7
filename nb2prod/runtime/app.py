"""The served model as one ASGI application: routes, the envelope, what is told of each request. It knows nothing of BentoML."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from . import openapi, page, proof, seam, state, tracing
from .answering import CALLER, FALLBACK, FEATURES, PREDICTIONS, Answering
from .http import Failure, Receive, Response, Scope, Send, request_id_of, respond, to_json
from .job_desk import JobDesk
from .jobs import Jobs
from .keys import Keys
from .labels import LabelBook
from .logs import log
from .metrics import Metrics
from .model import Model, has_fallback
from .options import Options
from .request_log import RequestLog
from .rows import Decoder, Rows

_OPEN = frozenset({"/livez", "/readyz"})
_JOB = "/jobs/"
Handler = Callable[[Scope, Receive, str], Awaitable[Response]]


class App:
    """One project's service.

    Args:
        project: the project folder.
        version: the Bento's version, as in the answers' ``model``.
        options: how to behave; ``options.json`` by default.
        metrics: makes the metrics once the signature is known.
        clock: seconds since 1970, for what is kept by day and by age; waiting and deadlines never ask it.
    """

    def __init__(
        self,
        project: Path,
        *,
        version: str | None = None,
        options: Options | None = None,
        metrics: Callable[..., Metrics] = Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._project = project
        self._version = version
        self._make_metrics = metrics
        self._clock = clock
        self.options = options or Options.load(project / "options.json")
        self.ready = False
        self.jobs: JobDesk | None = None
        self.request_log: RequestLog | None = None
        self._routes: dict[str, dict[str, Handler]] = {"/livez": {"GET": self._livez}, "/readyz": {"GET": self._readyz}}

    def load(self) -> None:
        """Load and warm up the model; until then the service is alive but not ready.

        Raises:
            OptionProblem: an option asks for what this model does not have.
        """
        started = time.perf_counter()
        self._keys = Keys(self.options.api_keys_file)
        self.model = Model.load(self._project)
        if os.environ.get("NB2PROD_BATCHING") == "off":
            self.model.batching = False
        signature = self.model.signature
        names = [column.key for column in signature.fields]
        self.options.check_fit(names, fallback=has_fallback(self._project))
        self.decoder = Decoder(signature)
        version = self._version or signature.version or "unversioned"
        self.name = f"{signature.model}:{version}"
        self.metrics = self._make_metrics(signature, version)
        self._assemble()
        examples = self._examples()
        self._warm_up(examples)
        self._fixed(signature, version, examples)
        gc.collect()
        gc.freeze()  # what is loaded stays: the collector need not walk it again and again
        self.ready = True
        log("ready", model=self.name, seconds=round(time.perf_counter() - started, 3), batching=self.model.batching)

    def _assemble(self) -> None:
        options, signature = self.options, self.model.signature
        folder = state.folder(signature.model)
        jobs = None
        if options.jobs:
            jobs = Jobs(folder, most=options.max_jobs, hours=options.job_hours, clock=self._clock)
        self.answering = Answering(self.name, self.model, self.decoder, options, self.metrics, jobs)
        self.model.clock = self.metrics.stage
        if jobs is not None:
            self.jobs = JobDesk(jobs, self.answering)
        if options.request_log:
            self.request_log = RequestLog(folder / "requests", self.answering, signature, clock=self._clock)
            self.answering.note = self.request_log.note
            book = LabelBook(folder / "labels", options, clock=self._clock)
            self._routes["/labels"] = {"POST": book.post}

    async def background(self) -> None:
        """What a loaded worker does beside answering: jobs, writing the request log. Ends when it is cancelled."""
        tasks = [part.run() for part in (self.jobs, self.request_log) if part is not None]
        await asyncio.gather(*tasks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens, in the one envelope."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request_id = request_id_of(scope)
        path, method = scope["path"], scope["method"]
        endpoint = path if path in self._routes else "/jobs/{id}" if path.startswith(_JOB) and self.jobs else "other"
        with tracing.request(scope, endpoint, request_id) as span:
            try:
                response = await self._answered(path, method, scope, receive, request_id)
            except Failure as failure:
                response = failure.response(request_id)
            except Exception as error:  # the server's own log would print the error's text, which may hold values
                log("fault", level=logging.ERROR, request_id=request_id, error=type(error).__name__, at=_where(error))
                response = Failure(500, "the service failed; its log has the request's id").response(request_id)
            tracing.answered(span, response.status)
        seconds = time.perf_counter() - started
        if self.ready:
            # Before the answer goes out: who has it and then asks any worker for the metrics finds it counted.
            self.metrics.answered(endpoint, response.status, seconds)
        if response.status >= 400 or self.options.log_requests:
            took = round(seconds, 6)
            log("request", request_id=request_id, endpoint=endpoint, status=response.status, seconds=took)
        await respond(send, response, request_id, head=method == "HEAD")

    async def _answered(self, path: str, method: str, scope: Scope, receive: Receive, request_id: str) -> Response:
        if path not in _OPEN:
            if not self.ready:
                raise _not_ready()
            scope[CALLER] = self._keys.check(scope)
        methods = self._routes.get(path)
        if methods is None and self.jobs is not None and path.startswith(_JOB):
            methods = self.jobs.routes(path.removeprefix(_JOB))
        if methods is None:
            raise Failure(404, "no such path; GET /docs.json lists what there is")
        handler = methods.get("GET" if method == "HEAD" else method)
        if handler is None:
            allowed = sorted(methods) + (["HEAD"] if "GET" in methods else [])
            raise Failure(
                405, f"expected {' or '.join(sorted(methods))}", headers=((b"allow", ", ".join(allowed).encode()),)
            )
        return await handler(scope, receive, request_id)

    # -- what never changes while serving --

    def _fixed(self, signature: Any, version: str, examples: list[dict[str, Any]]) -> None:
        form = json.loads((self._project / "signature.json").read_text(encoding="utf-8"))
        form["model"] = {**(form.get("model") or {}), "name": signature.model, "version": version}
        has_rules = has_fallback(self._project)
        facts = openapi.Facts(version, keys=self._keys.needed, fallback=has_rules)
        docs = openapi.document(signature, self.options, examples, facts)
        proved = proof.sentence(self._project.parent / "README.md")
        shown = page.render(signature, self.name, examples, needs_key=self._keys.needed, proved=proved)
        html = Response(200, shown, b"text/html; charset=utf-8", page.HEADERS)
        post = self.answering.post
        self._routes |= {
            "/": {"GET": _always(html)},
            "/signature": {"GET": _always(Response(200, to_json(form)))},
            "/docs.json": {"GET": _always(Response(200, to_json(docs)))},
            "/metrics": {"GET": self._metrics},
            "/predict": {"POST": partial(post, PREDICTIONS)},
            "/features": {"POST": partial(post, FEATURES)},
        }
        if has_rules:
            self._routes["/fallback"] = {"POST": partial(post, FALLBACK)}
        if self.jobs is not None:
            self._routes["/jobs"] = {"POST": self.answering.submit}

    async def _livez(self, *_: object) -> Response:
        return Response(200, b'{"status":"alive"}')

    async def _readyz(self, *_: object) -> Response:
        if not self.ready:
            raise _not_ready()
        return Response(200, b'{"status":"ready"}')

    async def _metrics(self, *_: object) -> Response:
        return Response(200, self.metrics.text(), self.metrics.content_type)

    # -- warming up --

    def _examples(self) -> list[dict[str, Any]]:
        """The made rows of ``examples.json`` that the type matrix takes, else one of the signature's examples."""
        try:
            rows = json.loads((self._project / "examples.json").read_text(encoding="utf-8"))["rows"]
        except (OSError, ValueError, KeyError, TypeError):
            rows = []
        decoded = self.decoder.check({"rows": rows})
        if decoded.positions:
            return [rows[position] for position in decoded.positions]
        row = {column.key: column.example for column in self.decoder.fields}
        return [row] if self.decoder.check({"rows": [row]}).positions else []

    def _warm_up(self, examples: list[dict[str, Any]]) -> None:
        if not examples:
            return
        one = self.decoder.parse(to_json({"rows": examples[:1]})).rows
        steps = {PREDICTIONS: seam.predictions, FEATURES: seam.features}
        if has_fallback(self._project):
            steps[FALLBACK] = seam.fallbacks
        for kind, step in steps.items():
            took = []
            for _ in range(4):
                started = time.perf_counter()
                step(self.model, self.decoder, one)
                took.append(time.perf_counter() - started)
            self.answering.batchers[kind].measured(min(took))
        if self.model.batching:
            seam.predictions(self.model, self.decoder, Rows.joined([one] * 8))


def _not_ready() -> Failure:
    return Failure(503, "the model is still being loaded", headers=((b"retry-after", b"1"),))


def _always(response: Response) -> Handler:
    async def handler(*_: object) -> Response:
        return response

    return handler


def _where(error: Exception) -> str:
    """File and line of the fault, without its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
