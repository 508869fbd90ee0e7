"""Files of labels: Parquet or CSV, by request id and row or by key columns, and their rows in the request log."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from nb2prod.errors import InputError
from nb2prod.runtime.signature import Signature
from nb2prod.watching import request_files
from nb2prod.watching.label_store import Key, Match
from nb2prod.watching.logged_rows import as_answered
from nb2prod.watching.subject import Subject

_BY_ID = ("request_id", "row")


def read(path: Path) -> pd.DataFrame:
    """The table in a Parquet or CSV file (by its ending); `InputError` where it can't be read."""
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype={"request_id": str})
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{path} can't be read: {error}", "It must be a Parquet file (*.parquet) or CSV.") from error


def by_id(table: pd.DataFrame, label: str) -> Iterator[tuple[Key, Any]]:
    """Labels by request id and row; rows without a label are left out. Raises `InputError` where a column is missing."""
    _check(table, (*_BY_ID, label))
    known = table[table[label].notna() & table["request_id"].notna()]
    for identity, row, value in zip(known["request_id"], known["row"], known[label], strict=True):
        yield (str(identity), int(row)), plain(value)


def by_key(
    table: pd.DataFrame, keys: Sequence[str], label: str, subject: Subject, signature: Signature
) -> Iterator[tuple[Match, Any]]:
    """Labels of the logged rows that have these values in the key columns; of a key that comes twice the last label counts.

    Raises `InputError` where a column is missing from the table or the rows.
    """
    _check(table, (*keys, label))
    fields = {column.key for column in signature.fields}
    for name in keys:
        if name not in fields:
            raise InputError(
                f"{name!r} is no field of {subject.model}", f"The fields are: {', '.join(sorted(fields))}."
            )
    known = table[table[label].notna()]
    values = dict(zip(zip(*(map(key_text, known[name]) for name in keys), strict=True), known[label], strict=True))
    columns = ["request_id", "row", "prediction", *(f"row.{name}" for name in keys)]
    for file, batch in _batches(subject, columns):
        parts = [map(key_text, batch.column(f"row.{name}").to_pylist()) for name in keys]
        for at, key in enumerate(zip(*parts, strict=True)):
            if key in values:
                yield _match(batch, at, subject.model, file.day, signature), plain(values[key])


def found(keys: set[Key], subject: Subject, signature: Signature) -> Iterator[Match]:
    """The rows of the log that these keys name."""
    wanted = pa.array(sorted({identity for identity, _ in keys}), pa.string())
    for file, batch in _batches(subject, ["request_id", "row", "prediction"]):
        mine = batch.filter(pc.is_in(batch.column("request_id"), value_set=wanted))
        for at in range(len(mine)):
            item = _match(mine, at, subject.model, file.day, signature)
            if item.key in keys:
                yield item


def key_text(value: Any) -> str:
    """A value as keys are compared: numbers by what they are, not by how they are written; texts as they are."""
    if isinstance(value, bool) or value is None or value is pd.NaT:
        return str(value)
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else str(value)


def plain(value: Any) -> Any:
    """A label as JSON has it."""
    if hasattr(value, "item"):
        value = value.item()
    return value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value


def _check(table: pd.DataFrame, columns: Sequence[str]) -> None:
    for name in columns:
        if name not in table.columns:
            raise InputError(
                f"the table of labels has no column {name!r}",
                f"It has: {', '.join(map(str, table.columns))}. Name others with --label and --key.",
            )


def _batches(subject: Subject, columns: Sequence[str]) -> Iterator[tuple[request_files.LogFile, pa.RecordBatch]]:
    for file in request_files.files(subject.logs):
        try:
            for batch in request_files.batches(file, subject.model, columns):
                if set(columns) <= set(batch.schema.names):
                    yield file, batch
        except request_files.Unreadable:
            continue  # a look says so


def _match(batch: pa.RecordBatch, at: int, model: str, day: dt.date, signature: Signature) -> Match:
    record: Mapping[str, Any] = batch.slice(at, 1).to_pylist()[0]
    return Match(
        (record["request_id"], record["row"]), model, day, as_answered(record["prediction"], signature.prediction.kind)
    )
