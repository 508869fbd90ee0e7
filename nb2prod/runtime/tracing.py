"""OpenTelemetry spans of requests, where an endpoint is configured; otherwise nothing is made and nothing imported.

The standard variables decide: ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or ``..._TRACES_ENDPOINT``), ``OTEL_EXPORTER_OTLP_HEADERS``,
``OTEL_TRACES_SAMPLER``, ``OTEL_SERVICE_NAME``. Spans are sent by OTLP over HTTP, from a thread. No attribute holds a value of a row.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from .http import Scope
from .logs import log

_NAMES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"})
_NOTHING: AbstractContextManager[Any] = contextlib.nullcontext()
_tracer: Any = None


def wanted() -> bool:
    """Whether an endpoint is configured."""
    return any(os.environ.get(name) for name in _NAMES)


def start(model: str, version: str) -> None:
    """Send spans from now on, if an endpoint is configured."""
    global _tracer  # noqa: PLW0603 - one tracer in a process, as OpenTelemetry has it
    if not wanted():
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        log("no traces", level=logging.WARNING, error=f"the environment lacks {error.name}")
        return
    about = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or model, "service.version": version}
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("nb2prod")


def request(scope: Scope, endpoint: str, request_id: str) -> AbstractContextManager[Any]:
    """The span of a request, below the caller's if it sent one."""
    return _NOTHING if _tracer is None else _request(scope, endpoint, request_id)


def span(name: str, **attributes: int) -> AbstractContextManager[Any]:
    """A stage of the current request."""
    if _tracer is None:
        return _NOTHING
    made: AbstractContextManager[Any] = _tracer.start_as_current_span(name, attributes=attributes)
    return made


def answered(current: Any, status: int) -> None:
    """Note the status of a request's span."""
    if current is None:
        return
    from opentelemetry.trace import Status, StatusCode

    current.set_attribute("http.response.status_code", status)
    if status >= 500:
        current.set_status(Status(StatusCode.ERROR))


@contextlib.contextmanager
def _request(scope: Scope, endpoint: str, request_id: str) -> Iterator[Any]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carried = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name in (b"traceparent", b"tracestate")
    }
    method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
    attributes = {"http.request.method": method, "http.route": endpoint, "nb2prod.request_id": request_id}
    with _tracer.start_as_current_span(
        f"{method} {endpoint}",
        context=TraceContextTextMapPropagator().extract(carried),
        kind=SpanKind.SERVER,
        attributes=attributes,
        record_exception=False,
    ) as current:
        yield current
