"""The HTTP floor: a raw ASGI callable that reads JSON and answers a fixed prediction for each row, on the same server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

decode, encode = msgspec.json.decode, msgspec.json.encode
HEADERS = [(b"content-type", b"application/json")]


async def app(scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Any) -> None:
    """Answer."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    rows = decode(body)["rows"] if body else []
    answer = encode({"predictions": [0] * len(rows)})
    headers = [*HEADERS, (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
