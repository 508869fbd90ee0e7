"""``POST /labels``: what turned out to be true of rows that were answered, for those who watch.

Labels are only kept here, a JSON object a line in ``labels/<day>.jsonl`` beside the request log; who watches joins them with the log, takes late ones,
and lets the last one of a row win. The path is there where a request log is kept: without one there is nothing to join.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from .compat import UTC
from .http import Failure, Receive, Response, Scope, check_json, read_body, to_json
from .options import Options

_LONGEST_ID = 64
_MOST_PROBLEMS = 1_000


class LabelBook:
    """Keeps labels in this folder.

    Args:
        folder: where the days' files are; made when the first label comes.
        clock: seconds since 1970.
    """

    def __init__(self, folder: Path, options: Options, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._options = options
        self._clock = clock

    async def post(self, scope: Scope, receive: Receive, request_id: str) -> Response:
        """Keep the labels of a request: all of them, or none where one is malformed.

        Raises:
            Failure: the body is none that can be kept, or the disk refuses.
        """
        check_json(scope)
        body = await read_body(scope, receive, self._options.max_body_bytes, self._options.body_timeout)
        entries = self._checked(body)
        try:
            await asyncio.to_thread(self._append, entries)
        except OSError as error:
            raise Failure(503, "labels can't be kept at the moment", headers=((b"retry-after", b"5"),)) from error
        return Response(202, to_json({"accepted": len(entries), "request_id": request_id}))

    def _checked(self, body: bytes | bytearray) -> list[dict[str, Any]]:
        try:
            form = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Failure(400, "the body is not JSON") from error
        entries = form.get("labels") if isinstance(form, dict) else None
        if not isinstance(entries, list) or set(form) != {"labels"}:
            raise Failure(422, 'expected {"labels": [{"request_id": ..., "row": 0, "label": ...}]}')
        if len(entries) > self._options.max_rows:
            raise Failure(422, f"at most {self._options.max_rows} labels at once")
        problems = [
            {"row": at, "field": problem[0], "reason": problem[1]}
            for at, entry in enumerate(entries)
            if (problem := _problem(entry)) is not None
        ]
        if problems:
            raise Failure(422, f"{len(problems)} of {len(entries)} labels are malformed", problems[:_MOST_PROBLEMS])
        return entries

    def _append(self, entries: list[dict[str, Any]]) -> None:
        if not entries:
            return
        moment = dt.datetime.fromtimestamp(self._clock(), UTC)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = "".join(
            json.dumps({"at": moment.isoformat(), "request_id": e["request_id"], "row": e["row"], "label": e["label"]})
            + "\n"
            for e in entries
        )
        descriptor = os.open(self._folder / f"{moment:%Y-%m-%d}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # In one piece: several workers append to the same file.
            data = text.encode()
            if os.write(descriptor, data) != len(data):
                raise OSError("no room")
        finally:
            os.close(descriptor)


def _problem(entry: Any) -> tuple[str | None, str] | None:
    """What is wrong with a label, and where; None where nothing is. Never holds a value."""
    if not isinstance(entry, dict) or set(entry) != {"request_id", "row", "label"}:
        return None, "expected request_id, row and label, and nothing else"
    if not isinstance(entry["request_id"], str) or not 0 < len(entry["request_id"]) <= _LONGEST_ID:
        return "request_id", f"expected a text of at most {_LONGEST_ID} characters"
    if type(entry["row"]) is not int or not 0 <= entry["row"] < 2**31:
        return "row", "expected the position of the row in its request"
    label = entry["label"]
    if not isinstance(label, (str, int, float, bool)) or (isinstance(label, float) and not math.isfinite(label)):
        return "label", "expected a text, a number or a boolean"
    return None
