"""The served model as one ASGI application: routes, limits, answers. It knows nothing of BentoML."""

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

from . import openapi, page, seam
from .batcher import Batcher, Overtime
from .http import (
    Failure,
    Receive,
    Response,
    Scope,
    Send,
    check_json,
    read_body,
    request_id_of,
    respond,
    to_json,
)  # fmt: skip
from .keys import Keys
from .logs import log
from .metrics import Metrics
from .model import Answer, Model, RowError
from .options import Options
from .rows import Decoded, Decoder, MalformedBody, Rows

_OPEN = frozenset({"/livez", "/readyz"})
_INLINE_BODY = 200_000
_DETAILS = 1_000
Handler = Callable[[Scope, Receive, str], Awaitable[Response]]


class App:
    """One project's service.

    Args:
        project: the project folder.
        version: the Bento's version, as in the answers' ``model``.
        options: how to behave; ``options.json`` by default.
        metrics: makes the metrics once the signature is known.
    """

    def __init__(
        self,
        project: Path,
        *,
        version: str | None = None,
        options: Options | None = None,
        metrics: Callable[..., Metrics] = Metrics,
    ) -> None:
        self._project = project
        self._version = version
        self._make_metrics = metrics
        self.options = options or Options.load(project / "options.json")
        self.ready = False
        self._in_flight = 0
        self._routes: dict[str, dict[str, Handler]] = {"/livez": {"GET": self._livez}, "/readyz": {"GET": self._readyz}}

    def load(self) -> None:
        """Load and warm up the model; until then the service is alive but not ready."""
        started = time.perf_counter()
        self._keys = Keys(self.options.api_keys_file)
        self.model = Model.load(self._project)
        if os.environ.get("NB2PROD_BATCHING") == "off":
            self.model.batching = False
        signature = self.model.signature
        self.decoder = Decoder(signature)
        version = self._version or signature.version or "unversioned"
        self.name = f"{signature.model}:{version}"
        self.metrics = self._make_metrics(signature, version)
        most = self.options.max_batch_rows
        self._predict = Batcher(partial(seam.predictions, self.model, self.decoder), most, self._note)
        self._features = Batcher(partial(seam.features, self.model, self.decoder), most)
        examples = self._examples()
        self._warm_up(examples)
        self._fixed(signature, version, examples)
        gc.collect()
        gc.freeze()  # what is loaded stays: the collector need not walk it again and again
        self.ready = True
        log("ready", model=self.name, seconds=round(time.perf_counter() - started, 3), batching=self.model.batching)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens, in the one envelope."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request_id = request_id_of(scope)
        path, method = scope["path"], scope["method"]
        try:
            response = await self._answered(path, method, scope, receive, request_id)
        except Failure as failure:
            response = failure.response(request_id)
        except Exception as error:  # the server's own log would print the error's text, which may hold values
            log("fault", level=logging.ERROR, request_id=request_id, error=type(error).__name__, at=_where(error))
            response = Failure(500, "the service failed; its log has the request's id").response(request_id)
        seconds = time.perf_counter() - started
        endpoint = path if path in self._routes else "other"
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
            self._keys.check(scope)
        methods = self._routes.get(path)
        if methods is None:
            raise Failure(404, "no such path; GET /docs.json lists what there is")
        handler = methods.get("GET" if method == "HEAD" else method)
        if handler is None:
            allowed = sorted(methods) + (["HEAD"] if "GET" in methods else [])
            raise Failure(
                405, f"expected {' or '.join(sorted(methods))}", headers=((b"allow", ", ".join(allowed).encode()),)
            )
        return await handler(scope, receive, request_id)

    # -- predictions --

    async def _post(self, name: str, batcher: Batcher, scope: Scope, receive: Receive, request_id: str) -> Response:
        if self._in_flight >= self.options.max_in_flight:
            raise Failure(429, "too many requests at once", headers=((b"retry-after", b"1"),))
        self._in_flight += 1
        self.metrics.in_flight.inc()
        try:
            return await self._rows_answered(name, batcher, scope, receive, request_id)
        finally:
            self._in_flight -= 1
            self.metrics.in_flight.dec()

    async def _rows_answered(
        self, name: str, batcher: Batcher, scope: Scope, receive: Receive, request_id: str
    ) -> Response:
        check_json(scope)
        body = await read_body(scope, receive, self.options.max_body_bytes, self.options.body_timeout)
        started = time.perf_counter()
        decoded = await self._decoded(body)
        decoding = time.perf_counter() - started
        self.metrics.stage("decode", decoding)
        self._check(decoded)
        try:
            answer = await batcher.answer(decoded.rows, self.options.timeout - decoding)
        except Overtime:
            self.metrics.overtime.inc()
            raise Failure(504, f"no answer within {self.options.timeout:g} seconds") from None
        started = time.perf_counter()
        if decoded.problems:
            answer = _with_malformed(answer, decoded)
        errors = [error.to_json() for error in answer.errors]
        made = {name: answer.predictions, "errors": errors, "model": self.name, "request_id": request_id}
        response = Response(200, to_json(made))
        self.metrics.stage("encode", time.perf_counter() - started)
        return response

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

    def _note(self, rows: Rows, answer: Answer, seconds: float) -> None:
        self.metrics.stage("run", seconds)
        self.metrics.ran(rows, answer.predictions, answer.errors)

    # -- what never changes while serving --

    def _fixed(self, signature: Any, version: str, examples: list[dict[str, Any]]) -> None:
        form = json.loads((self._project / "signature.json").read_text(encoding="utf-8"))
        form["model"] = {**(form.get("model") or {}), "name": signature.model, "version": version}
        docs = openapi.document(signature, self.options, version, examples, keys=self._keys.needed)
        html = Response(200, page.render(signature, self.name, examples), b"text/html; charset=utf-8", page.HEADERS)
        self._routes |= {
            "/": {"GET": _always(html)},
            "/signature": {"GET": _always(Response(200, to_json(form)))},
            "/docs.json": {"GET": _always(Response(200, to_json(docs)))},
            "/metrics": {"GET": self._metrics},
            "/predict": {"POST": partial(self._post, "predictions", self._predict)},
            "/features": {"POST": partial(self._post, "features", self._features)},
        }

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
        for step, batcher in ((seam.predictions, self._predict), (seam.features, self._features)):
            took = []
            for _ in range(4):
                started = time.perf_counter()
                step(self.model, self.decoder, one)
                took.append(time.perf_counter() - started)
            batcher.measured(min(took))
        if self.model.batching:
            seam.predictions(self.model, self.decoder, Rows.joined([one] * 8))


def _not_ready() -> Failure:
    return Failure(503, "the model is still being loaded", headers=((b"retry-after", b"1"),))


def _always(response: Response) -> Handler:
    async def handler(*_: object) -> Response:
        return response

    return handler


def _with_malformed(answer: Answer, decoded: Decoded) -> Answer:
    """The good rows' answers at their places in the request, the malformed rows as errors."""
    values: list[Any] = [None] * decoded.count
    for position, value in zip(decoded.positions, answer.predictions, strict=True):
        values[position] = value
    errors = [error.at(decoded.positions[error.row]) for error in answer.errors]
    errors += [RowError(p.row or 0, "row_malformed", p.reason, p.field) for p in decoded.problems]
    return Answer(values, sorted(errors, key=lambda error: error.row))


def _where(error: Exception) -> str:
    """File and line of the fault, without its text."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
