"""The request log: rows, features, answers, version, latency and request id of a sample of requests, in Parquet files by day.

Nothing is written on the way of a request: it only puts what it has into a short list. A task of its own works out the
features when nothing else waits, and a thread writes. What does not fit, or can't be written, is dropped and counted.

``requests/2026-03-01/<worker>-<number>.parquet``: a row for each row of a request, ``row.<field>`` typed as in the signature,
``features`` and answers that are no plain value as JSON text. Excluded fields are in no file: neither as ``row.<field>`` nor
within ``features``, which is left out wherever fields are excluded, since features are made of fields.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import random
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .answering import FEATURES, Answered, Answering
from .compat import UTC
from .http import to_json
from .logs import log
from .request_log_schema import SCHEMA, SCHEMA_KEY
from .rows import Rows
from .signature import Signature

_HELD_ROWS = 20_000
"""Rows that may wait to be written."""
_FLUSH_SECONDS = 30.0
_FLUSH_ROWS = 5_000
_LOOK = 0.5
_ROW_TYPES = {"integer": "int64", "number": "float64", "boolean": "bool", "string": "string"}


@dataclass(frozen=True)
class Entry:
    """One request."""

    rows: Rows
    answered: Answered
    at: float
    seconds: float
    request_id: str
    caller: str | None


class RequestLog:
    """Writes the sample of one worker.

    Args:
        folder: where the days' folders are; made when the first file is written.
        answering: whose requests; it has the options, the metrics and what works out features.
        clock: seconds since 1970; the day that a request belongs to.
        draw: a number from 0 to 1 for each request, which decides whether it is kept.
    """

    def __init__(
        self,
        folder: Path,
        answering: Answering,
        signature: Signature,
        *,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._folder = folder
        self._answering = answering
        self._options = answering.options
        self._clock = clock
        self._draw = draw
        self._columns = _Columns(signature, self._options.request_log_exclude)
        self._worker = secrets.token_hex(4)
        self._number = 0
        self._waiting: deque[Entry] = deque()
        self._held = 0
        self._ready: list[dict[str, Any]] = []

    def note(self, rows: Rows, answered: Answered, seconds: float, request_id: str, caller: str | None = None) -> None:
        """A request was answered; it may be one of the sample."""
        if not rows.count or self._draw() >= self._options.request_log:
            return
        if self._held + rows.count > _HELD_ROWS:
            self._answering.metrics.unlogged.inc(rows.count)
            return
        self._held += rows.count
        self._waiting.append(Entry(rows, answered, self._clock(), seconds, request_id, caller))

    async def run(self) -> None:
        """Write what was noted, for ever; at the end, what is left."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        try:
            while True:
                await asyncio.sleep(_LOOK)
                await self._prepare()
                if self._ready and (len(self._ready) >= _FLUSH_ROWS or loop.time() - last >= _FLUSH_SECONDS):
                    last = loop.time()
                    await asyncio.to_thread(self._flush, self._taken())
        finally:
            for entry in self._waiting:
                self._ready += self._columns.records(entry, None, self._answering.name)
            if self._ready:
                self._flush(self._taken())

    async def _prepare(self) -> None:
        while self._waiting:
            entry = self._waiting[0]
            features = None
            if not self._options.request_log_exclude:
                made = await self._answering.batchers[FEATURES].answer(entry.rows, None, patient=True)
                features = made.predictions
            self._waiting.popleft()
            self._ready += self._columns.records(entry, features, self._answering.name)

    def _taken(self) -> list[dict[str, Any]]:
        taken, self._ready = self._ready, []
        self._held -= len(taken)
        return taken

    def _flush(self, records: list[dict[str, Any]]) -> None:
        """Write these; where the disk refuses they are lost, and counted."""
        metrics = self._answering.metrics
        by_day: dict[str, list[dict[str, Any]]] = {}
        for record in records:
            by_day.setdefault(f"{record['time']:%Y-%m-%d}", []).append(record)
        for day, some in by_day.items():
            try:
                self._write(self._folder / day, some)
                metrics.logged.inc(len(some))
            except Exception as error:  # the log is worth less than the service
                metrics.unlogged.inc(len(some))
                log("request log lost rows", level=logging.ERROR, rows=len(some), error=type(error).__name__)
        with contextlib.suppress(OSError):
            self._bound()

    def _write(self, folder: Path, records: list[dict[str, Any]]) -> None:
        import pyarrow.parquet as pq

        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._number += 1
        file = folder / f"{self._worker}-{self._number:06d}.parquet"
        unfinished = file.with_suffix(".writing")
        try:
            pq.write_table(self._columns.table(records), unfinished)
            unfinished.rename(file)
        finally:
            unfinished.unlink(missing_ok=True)

    def _bound(self) -> None:
        """Remove files that are too old, and then the oldest by their day and their age, until the log fits."""
        files = []
        oldest = dt.datetime.fromtimestamp(self._clock(), UTC) - dt.timedelta(days=self._options.request_log_days)
        written_before = (time.time() - self._options.request_log_days * 86_400) * 1e9
        for file in self._folder.glob("*/*.parquet"):
            with contextlib.suppress(FileNotFoundError):
                status = file.stat()
                # By both, so that a clock that jumps for a moment removes nothing.
                if file.parent.name < f"{oldest:%Y-%m-%d}" and status.st_mtime_ns < written_before:
                    _remove(file)
                    continue
                files.append((file.parent.name, status.st_mtime_ns, file, status.st_size))
        total = sum(size for *_, size in files)
        for _, _, file, size in sorted(files):
            if total <= self._options.request_log_bytes:
                return
            _remove(file)
            total -= size


def _remove(file: Path) -> None:
    """Remove a file, and its day once that is empty."""
    file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        file.parent.rmdir()


class _Columns:
    """From requests to a table."""

    def __init__(self, signature: Signature, excluded: tuple[str, ...]) -> None:
        self._fields = [
            (at, f"row.{column.key}", _ROW_TYPES.get(column.type, "string"))
            for at, column in enumerate(signature.fields)
            if column.key not in excluded
        ]
        self._kind = _ROW_TYPES.get(signature.prediction.kind, "string")

    def records(self, entry: Entry, features: list[Any] | None, model: str) -> list[dict[str, Any]]:
        """A record for each row of the request."""
        moment = dt.datetime.fromtimestamp(entry.at, UTC)
        errors = {error.row: error.code for error in entry.answered.answer.errors}
        ruled = dict(entry.answered.fallbacks)
        made = []
        for at in range(entry.rows.count):
            record: dict[str, Any] = {
                "time": moment,
                "request_id": entry.request_id,
                "caller": entry.caller,
                "model": model,
                "row": at,
                "seconds": entry.seconds,
            }
            for position, name, kind in self._fields:
                record[name] = _plain(entry.rows.columns[position][at], kind)
            record["features"] = None if features is None else _text(features[at])
            record["prediction"] = _plain(entry.answered.answer.predictions[at], self._kind)
            record["error"] = errors.get(at)
            record["fallback"] = ruled.get(at)
            made.append(record)
        return made

    def table(self, records: list[dict[str, Any]]) -> Any:
        """The records as an Arrow table, with the same columns whatever they hold."""
        import pyarrow as pa

        kinds = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_(), "string": pa.string()}
        schema = [("time", pa.timestamp("us", "UTC")), ("request_id", pa.string()), ("model", pa.string())]
        schema += [("caller", pa.string()), ("row", pa.int32()), ("seconds", pa.float64())]
        schema += [(name, kinds[kind]) for _, name, kind in self._fields]
        schema += [("features", pa.string()), ("prediction", kinds[self._kind])]
        schema += [("error", pa.string()), ("fallback", pa.string())]
        described = pa.schema(schema, metadata={SCHEMA_KEY: str(SCHEMA).encode()})
        return pa.Table.from_pylist(records, schema=described)


def _plain(value: Any, kind: str) -> Any:
    """The value for a column of this kind; what does not fit one of numbers is missing, what fits no text is JSON."""
    if value is None:
        return None
    if kind == "string":
        if isinstance(value, dt.date):
            return value.isoformat()
        return value if isinstance(value, str) else _text(value)
    try:
        made = {"int64": int, "float64": float, "bool": bool}[kind](value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if kind == "int64" and not -(2**63) <= made < 2**63 else made


def _text(value: Any) -> str:
    with contextlib.suppress(TypeError, ValueError):
        return to_json(value).decode()
    return str(value)
