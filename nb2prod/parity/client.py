"""A small HTTP client for the service under proof: connections kept open, and faults in words."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from nb2prod.errors import InputError
from nb2prod.parity.faults import ServiceFault

_CHUNK = 1 << 16
_KEY_HEADERS = frozenset({"x-api-key", "authorization"})


@dataclass(frozen=True)
class Reply:
    """One answer: its status, its JSON document and the seconds it took."""

    status: int
    document: Any
    seconds: float


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    body: bytes | None
    seconds: float

    @property
    def words(self) -> str:
        return f"{self.method} {self.path}"


class Client:
    """Asks one service; may be used by several threads. `headers` go with each request (a key, for example)."""

    def __init__(self, url: str, *, headers: Mapping[str, str] | None = None, timeout: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url!r} is not the URL of a service", "Write it as in http://127.0.0.1:3000")
        self.url = url.rstrip("/")
        self._parts = parts
        self._base = parts.path.rstrip("/")
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._timeout = timeout
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []

    @property
    def sends_key(self) -> bool:
        """Whether each request carries an API key."""
        return any(name.lower() in _KEY_HEADERS for name in self._headers)

    def get(self, path: str, *, timeout: float | None = None) -> Reply:
        """GET `path`; raises `ServiceFault`."""
        return self._ask(_Request("GET", path, None, timeout or self._timeout))

    def post(self, path: str, document: object, *, timeout: float | None = None) -> Reply:
        """POST `document` as JSON (or bytes as they are) to `path`; raises `ServiceFault`."""
        body = document if isinstance(document, bytes) else json.dumps(document, allow_nan=False).encode()
        return self._ask(_Request("POST", path, body, timeout or self._timeout))

    def status(self, path: str, *, timeout: float | None = None) -> int | None:
        """The status of GET `path`, whatever its body; None where nobody answers."""
        connection = self._connect(timeout)
        try:
            connection.request("GET", self._base + path, headers=self._headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    def _connect(self, timeout: float | None) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        return kind(self._parts.hostname or "", self._parts.port, timeout=timeout or self._timeout)

    def _ask(self, request: _Request) -> Reply:
        started = time.monotonic()
        try:
            status, data = self._exchanged(request, started + request.seconds)
        except TimeoutError as error:
            raise ServiceFault(
                f"the service at {self.url} did not answer {request.words} within {request.seconds:g} s",
                "It hangs, or one request takes that long: try the same rows in the notebook.",
            ) from error
        except (http.client.HTTPException, OSError) as error:
            self._raise_broken(request.words, error)
        seconds = time.monotonic() - started
        return Reply(status, self._parse(request.words, status, data), seconds)

    def _exchanged(self, request: _Request, deadline: float) -> tuple[int, bytes]:
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        if idle is not None:
            try:
                return self._exchange(idle, request, deadline)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                pass  # an idle connection may be closed at any time: that alone is no fault of the service
        return self._exchange(self._connect(request.seconds), request, deadline)

    def _exchange(
        self, connection: http.client.HTTPConnection, request: _Request, deadline: float
    ) -> tuple[int, bytes]:
        headers = self._headers if request.body is None else {**self._headers, "Content-Type": "application/json"}
        connection.timeout = request.seconds
        if connection.sock is not None:
            connection.sock.settimeout(request.seconds)
        try:
            connection.request(request.method, self._base + request.path, request.body, headers)
            with connection.getresponse() as response:
                data = _read(response, deadline)
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._lock:
                self._idle.append(connection)
        return response.status, data

    def _parse(self, what: str, status: int, data: bytes) -> Any:
        try:
            return json.loads(data, parse_constant=_no_constant)
        except ValueError as error:
            raise ServiceFault(
                f"the service at {self.url} answered {what} with {status} and a body that is not JSON ({error})",
                "Is this URL a service made by nb2prod? Its GET /signature would say so.",
            ) from error

    def _raise_broken(self, what: str, error: Exception) -> NoReturn:
        if isinstance(error, ConnectionRefusedError):
            raise ServiceFault(
                f"nothing answers at {self.url} (connection refused)", "Check that the service runs, and its port."
            ) from error
        if isinstance(error, http.client.IncompleteRead):
            missing = f", {error.expected} bytes missing" if error.expected else ""
            raise ServiceFault(
                f"the service at {self.url} broke off in the middle of its answer to {what} "
                f"(after {len(error.partial)} bytes{missing})",
                "It, or a proxy before it, died or closed the connection: its log says why.",
            ) from error
        raise ServiceFault(
            f"the connection to {self.url} broke during {what}: {str(error) or type(error).__name__}",
            "The service died or closed the connection: its log says why.",
        ) from error


def _read(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body; a service that drips it byte by byte past the deadline counts as hanging."""
    parts: list[bytes] = []
    while True:
        part = response.read1(_CHUNK)
        if not part:
            break
        parts.append(part)
        if time.monotonic() > deadline:
            raise TimeoutError
    if response.length:
        raise http.client.IncompleteRead(b"".join(parts), response.length)
    return b"".join(parts)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
