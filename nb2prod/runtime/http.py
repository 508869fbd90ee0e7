"""HTTP without a framework: one request in, one whole answer out, one envelope for every error."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from .compat import timeout

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

JSON = b"application/json"
_DRAINED = 10
_DRAINING = 2.0
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
to_json = msgspec.json.Encoder().encode

STATUS_CODES = {
    400: "bad_request",
    401: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    415: "unsupported_media_type",
    422: "malformed_rows",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
    504: "timeout",
}
"""The envelope's ``code`` by status."""


@dataclass(frozen=True)
class Response:
    """A whole answer."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass
class Failure(Exception):
    """An answer that is an error. ``details`` are {"row", "field", "reason"} and never hold a value."""

    status: int
    message: str
    details: Sequence[dict[str, Any]] = ()
    headers: tuple[tuple[bytes, bytes], ...] = field(default=())

    def response(self, request_id: str) -> Response:
        """The failure in the one envelope."""
        error = {"code": STATUS_CODES[self.status], "message": self.message, "details": list(self.details)}
        return Response(self.status, to_json({"error": error, "request_id": request_id}), headers=self.headers)


def request_id_of(scope: Scope) -> str:
    """The caller's X-Request-ID if it is a plain one, else a new one."""
    given = header(scope, b"x-request-id")
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode("ascii")
    return os.urandom(12).hex()


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of this (lower-case) name."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def check_json(scope: Scope) -> None:
    """Raise ``Failure`` (415) unless the body is announced as plain JSON."""
    kind = (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower()
    if kind != JSON:
        raise Failure(415, "expected the header 'Content-Type: application/json'")
    encoding = (header(scope, b"content-encoding") or b"identity").strip().lower()
    if encoding != b"identity":
        raise Failure(415, "expected a body without Content-Encoding; compressed bodies are not taken")


async def read_body(scope: Scope, receive: Receive, limit: int, seconds: float) -> bytes | bytearray:
    """The request's body.

    Raises:
        Failure: it is larger than the limit (413), too slow (408), or the client went away (400).
    """
    announced = header(scope, b"content-length")
    if announced is not None and (not announced.isdigit() or int(announced) > limit):
        await _drain(receive, limit)
        raise _too_large(limit)
    message = await _next(receive, seconds)
    if not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        return body
    return await _rest(receive, bytearray(message.get("body", b"")), limit, seconds)


async def _rest(receive: Receive, body: bytearray, limit: int, seconds: float) -> bytearray:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        message = await _next(receive, deadline - loop.time())
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > limit:
            if more:
                await _drain(receive, limit)
            raise _too_large(limit)
        if not more:
            return body


async def _next(receive: Receive, seconds: float) -> MutableMapping[str, Any]:
    try:
        async with timeout(seconds):
            message = await receive()
    except TimeoutError:
        raise Failure(408, "the body took too long to arrive", headers=((b"connection", b"close"),)) from None
    if message["type"] == "http.disconnect":
        raise Failure(400, "the client went away before its body was complete")
    return message


async def _drain(receive: Receive, limit: int) -> None:
    """Let the client send its body, or enough of it: most read no answer before they are done."""
    left = limit * _DRAINED
    with contextlib.suppress(TimeoutError):
        async with timeout(_DRAINING):
            more = True
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = message.get("more_body", False)


def _too_large(limit: int) -> Failure:
    message = f"the body is larger than {limit} bytes; send fewer rows at a time"
    return Failure(413, message, headers=((b"connection", b"close"),))


async def respond(send: Send, response: Response, request_id: str, *, head: bool = False) -> None:
    """Send the answer."""
    headers = [
        (b"content-type", response.content_type),
        (b"content-length", str(len(response.body)).encode()),
        (b"x-request-id", request_id.encode()),
        *response.headers,
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else response.body})
