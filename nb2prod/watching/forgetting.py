"""Rows of a request log removed for good: those of one caller, of one entity, or of one request, with the labels that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nb2prod.errors import InputError
from nb2prod.runtime.request_log_schema import COLUMNS
from nb2prod.watching import request_files, whole_files
from nb2prod.watching.label_files import key_text
from nb2prod.watching.label_store import LabelStore
from nb2prod.watching.subject import Subject


@dataclass(frozen=True)
class Forgotten:
    """What was removed: rows of so many files, and labels. `unreadable` files may still hold such rows."""

    rows: int
    files: int
    labels: int
    unreadable: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self)


def forget(subject: Subject, conditions: Mapping[str, str]) -> Forgotten:
    """Remove all logged rows, of every version, that have these values in these fields (or `caller`, `request_id`).

    Each file is written anew beside its place and renamed: a reader sees all of it or the file without the rows. Raises `InputError` without a condition or
    where no file has such a column, `EnvironmentProblem` where the disk refuses.
    """
    if not conditions:
        raise InputError("nothing says which rows are to be removed", "For example: --where customer=4711")
    rows = files = labels = 0
    known = False
    unreadable = []
    store = LabelStore(subject.name)
    for file in request_files.files(subject.logs):
        try:
            table = _read(file.path)
        except request_files.Unreadable as problem:
            unreadable.append(f"{file.name} ({problem})")
            continue
        if table is None:
            continue
        columns = {name: _column(name, table.schema.names) for name in conditions}
        if None in columns.values():
            continue
        known = True
        mask = _mask(table, {columns[name] or "": value for name, value in conditions.items()})
        count = int(pc.sum(mask).as_py() or 0)
        if count:
            gone = table.filter(mask)
            labels += store.remove(
                zip(gone.column("request_id").to_pylist(), gone.column("row").to_pylist(), strict=True)
            )
            _write(file.path, table.filter(pc.invert(mask)))
            rows, files = rows + count, files + 1
    if not known:
        raise InputError(
            f"no file of the log has the columns {', '.join(conditions)}",
            "Name fields of the model, `caller` or `request_id`.",
        )
    return Forgotten(rows, files, labels, tuple(unreadable))


def _read(path: Path) -> pa.Table | None:
    try:
        table = pq.read_table(path, partitioning=None)
    except FileNotFoundError:
        return None
    except (pa.ArrowException, OSError) as error:
        raise request_files.Unreadable(str(error).splitlines()[0]) from error
    request_files.check_schema(table.schema)
    return table


def _column(name: str, names: Sequence[str]) -> str | None:
    return next((item for item in (f"row.{name}", name if name in COLUMNS else "") if item in names), None)


def _mask(table: pa.Table, conditions: Mapping[str, str]) -> pa.Array:
    found = [True] * len(table)
    for column, wanted in conditions.items():
        same = [value is not None and key_text(value) == wanted for value in table.column(column).to_pylist()]
        found = [one and other for one, other in zip(found, same, strict=True)]
    return pa.array(found, pa.bool_())


def _write(path: Path, table: pa.Table) -> None:
    if not len(table):
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()
        return
    whole_files.write(
        path, lambda place: pq.write_table(table, place), "Free some room there, and run the command again: it goes on."
    )
