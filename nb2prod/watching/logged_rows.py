"""Rows of a request log as they were asked and answered: a uniform sample of them, in bounded memory."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nb2prod.runtime.signature import Signature
from nb2prod.watching import request_files

_PLAIN = ("integer", "number", "boolean", "string", "datetime")


@dataclass(frozen=True)
class LoggedRow:
    """One row of a request: `row` as a request has it, and what the service answered."""

    request_id: str
    position: int
    time: dt.datetime
    row: Mapping[str, Any]
    prediction: Any
    error: str | None
    fallback: str | None
    features: Any = None
    """What the model was given, as a list or an object; None where the log does not hold it."""


@dataclass(frozen=True)
class Sample:
    """A uniform sample of `total` logged rows, in their order."""

    rows: tuple[LoggedRow, ...]
    total: int
    unreadable: tuple[str, ...] = ()


def sample(
    logs: Sequence[Path], model: str, signature: Signature, most: int, *, since: dt.date | None = None, seed: int = 0
) -> Sample:
    """At most `most` rows that this model (`name:version`) answered, each with the same chance."""
    rng = np.random.default_rng(seed)
    kept: list[tuple[float, int, LoggedRow]] = []
    bound, total = math.inf, 0
    unreadable: list[str] = []
    for file in request_files.files(logs, since):
        try:
            for batch in request_files.batches(file, model, _columns(signature)):
                draws = rng.random(len(batch))
                chosen = np.flatnonzero(draws < bound)
                rows = _rows(batch.take(pa.array(chosen)), signature)
                kept += [(float(draws[at]), total + int(at), row) for at, row in zip(chosen, rows, strict=True)]
                total += len(batch)
                if len(kept) > 2 * most:
                    kept.sort(key=lambda item: item[0])
                    del kept[most:]
                    bound = kept[-1][0]
        except request_files.Unreadable as problem:
            unreadable.append(f"{file.name} ({problem})")
    kept.sort(key=lambda item: item[0])
    drawn = sorted(kept[:most], key=lambda item: item[1])
    return Sample(tuple(row for _, _, row in drawn), total, tuple(unreadable))


def of_keys(
    logs: Sequence[Path], model: str, signature: Signature, keys: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], LoggedRow]:
    """The rows of these request ids and positions that this model answered, as far as the log has them; files that can't be read are passed over."""
    wanted = set(keys)
    identities = pa.array(sorted({identity for identity, _ in wanted}), pa.string())
    found: dict[tuple[str, int], LoggedRow] = {}
    for file in request_files.files(logs):
        with suppress(request_files.Unreadable):
            for batch in request_files.batches(file, model, _columns(signature)):
                mine = batch.filter(pc.is_in(batch.column("request_id"), value_set=identities))
                rows = _rows(mine, signature)
                found |= {
                    (row.request_id, row.position): row for row in rows if (row.request_id, row.position) in wanted
                }
    return found


def _columns(signature: Signature) -> list[str]:
    fields = [f"row.{column.key}" for column in signature.fields]
    return ["request_id", "row", "time", *fields, "features", "prediction", "error", "fallback"]


def _rows(batch: pa.RecordBatch, signature: Signature) -> list[LoggedRow]:
    types = {column.key: column.type for column in signature.fields}
    made = []
    for record in batch.to_pylist():
        row = {name: _as_sent(record[f"row.{name}"], kind) for name, kind in types.items() if f"row.{name}" in record}
        features = record.get("features")
        made.append(
            LoggedRow(
                record["request_id"],
                record["row"],
                record["time"],
                row,
                as_answered(record.get("prediction"), signature.prediction.kind),
                record.get("error"),
                record.get("fallback"),
                None if features is None else _parsed(features),
            )
        )
    return made


def _as_sent(value: Any, kind: str) -> Any:
    """A field's value as a request has it: what is no plain type stands in the log as JSON text."""
    return _parsed(value) if kind == "any" and isinstance(value, str) and value[:1] in ("[", "{") else value


def as_answered(value: Any, kind: str) -> Any:
    """A logged prediction of this kind as the answer had it: what is no plain value stands in the log as JSON text, and JSON spells infinity."""
    if isinstance(value, str) and kind not in _PLAIN:
        return _parsed(value)
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
