"""What callers sent beside what the training table later holds of the same things: which fields differ, how often, and by what.

Served code can be proved to be the notebook's; the rows that it is given are made by somebody else's code. Rows of the request log are joined with the table
by key, and each field that both have is compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from nb2prod.errors import InputError
from nb2prod.evidence.families import upper_bound
from nb2prod.runtime.signature import Column
from nb2prod.watching import label_files, patterns
from nb2prod.watching.label_files import key_text
from nb2prod.watching.logged_rows import LoggedRow, sample
from nb2prod.watching.look import questions_of
from nb2prod.watching.subject import Subject

SAMPLE = 100_000
_SHOWN = 3


@dataclass(frozen=True)
class Pair:
    """A value that was sent, and the table's of the same thing; `key` tells which."""

    key: tuple[str, ...]
    sent: Any
    known: Any


@dataclass(frozen=True)
class FieldSkew:
    """One field over `rows` joined rows: how many differ, at most which share do with 95 %, by what plain pattern, and a few pairs."""

    name: str
    rows: int
    differing: int
    bound: float
    pattern: str
    examples: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Skew:
    """The whole: of `sampled` of `logged` rows `joined` were found in the table; `ambiguous` rows have a key that the table holds with different values."""

    model: str
    keys: tuple[str, ...]
    logged: int
    sampled: int
    joined: int
    ambiguous: int
    fields: tuple[FieldSkew, ...]
    not_compared: tuple[str, ...]
    """Fields that the table or the log does not have."""

    @property
    def differs(self) -> bool:
        """Whether any field does."""
        return any(item.differing for item in self.fields)

    def to_json(self) -> dict[str, Any]:
        """The document of `skew --json`."""
        return asdict(self)


def skew(
    subject: Subject, table: Path, keys: Sequence[str], *, since: dt.date | None = None, most: int = SAMPLE
) -> Skew:
    """Hold what was sent against the table (Parquet or CSV), joined by these columns.

    Raises `InputError` where the table can't be read, a key is in neither, or nothing joins.
    """
    signature = questions_of(subject).signature
    columns = {column.key: column for column in signature.fields}
    content = label_files.read(table)
    for name in keys:
        if name not in content.columns or name not in columns:
            where = "the table" if name not in content.columns else subject.model
            raise InputError(
                f"the key {name!r} is no column of {where}",
                f"Both have: {', '.join(c for c in columns if c in content.columns)}.",
            )
    drawn = sample(subject.logs, subject.model, signature, most, since=since)
    if not drawn.total:
        raise InputError(f"the request log has no row that {subject.model} answered", subject.log_hint)
    there = {name for item in drawn.rows[:1] for name in item.row}
    shared = [name for name in columns if name in content.columns and name in there and name not in keys]
    places, ambiguous_keys = _places(content, keys, shared)
    pairs, ambiguous = [], 0
    for item in drawn.rows:
        key = tuple(key_text(item.row.get(name)) for name in keys)
        if key in ambiguous_keys:
            ambiguous += 1
        elif key in places:
            pairs.append((key, item, places[key]))
    if not pairs:
        raise InputError(
            f"none of {len(drawn.rows):,} logged rows is in the table by {', '.join(keys)}",
            "Name the columns that tell a thing apart in both; numbers are compared by value, texts as they are.",
        )
    return Skew(
        subject.model,
        tuple(keys),
        drawn.total,
        len(drawn.rows),
        len(pairs),
        ambiguous,
        tuple(
            sorted((_field(columns[name], content[name], pairs) for name in shared), key=lambda item: -item.differing)
        ),
        tuple(name for name in columns if name not in shared and name not in keys),
    )


_Joined = list[tuple[tuple[str, ...], LoggedRow, int]]


def _places(
    content: pd.DataFrame, keys: Sequence[str], shared: Sequence[str]
) -> tuple[dict[tuple[str, ...], int], set[tuple[str, ...]]]:
    """Position of each key's row; and the keys that have several rows with different values."""
    rows = content.reset_index(drop=True)
    chosen = rows.drop_duplicates([*keys, *shared]).index.to_numpy()
    places: dict[tuple[str, ...], int] = {}
    ambiguous = set()
    texts = [[key_text(value) for value in rows[name].iloc[chosen]] for name in keys]
    for at, key in zip(chosen, zip(*texts, strict=True), strict=True):
        if key in places:
            ambiguous.add(key)
        places[key] = int(at)
    return places, ambiguous


def _field(column: Column, values: pd.Series[Any], pairs: _Joined) -> FieldSkew:
    sent = pd.Series([item.row[column.key] for _, item, _ in pairs], dtype="object")
    known = values.reset_index(drop=True).iloc[[at for _, _, at in pairs]].reset_index(drop=True)
    lacking, unsent = known.isna().to_numpy(), sent.isna().to_numpy()
    both = ~lacking & ~unsent
    different, pattern = _compared(column, sent, known, both)
    differing = different | (lacking != unsent)
    if not pattern:
        default = sent[lacking & ~unsent]
        pattern = patterns.of_missing(default.tolist(), len(default), int((unsent & ~lacking).sum()))
    examples = tuple(
        Pair(pairs[at][0], label_files.plain(sent[at]), label_files.plain(known[at]) if not lacking[at] else None)
        for at in np.flatnonzero(differing)[:_SHOWN]
    )
    count = int(differing.sum())
    return FieldSkew(column.key, len(pairs), count, upper_bound(count, len(pairs)), pattern, examples)


def _compared(
    column: Column, sent: pd.Series[Any], known: pd.Series[Any], both: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], str]:
    """Which of the pairs that both have differ, and by what."""
    different = np.zeros(len(sent), dtype=bool)
    if not both.any():
        return different, ""
    if column.type in ("integer", "number", "boolean"):
        one = pd.to_numeric(sent[both], errors="coerce").to_numpy("float64")
        other = pd.to_numeric(known[both], errors="coerce").to_numpy("float64")
        found = patterns.differs(one, other)
        pattern = patterns.of_numbers(one[found], other[found])
    elif column.type == "datetime":
        first, second = _moments(sent[both]), _moments(known[both])
        found = (first != second).to_numpy()
        pattern = patterns.of_times(first[found], second[found])
    else:
        texts, others = sent[both].astype(str).tolist(), known[both].astype(str).tolist()
        found = np.array([a != b for a, b in zip(texts, others, strict=True)])
        chosen = np.flatnonzero(found)
        pattern = patterns.of_texts([texts[at] for at in chosen], [others[at] for at in chosen])
    different[np.flatnonzero(both)] = found
    return different, pattern


def _moments(values: pd.Series[Any]) -> pd.Series[Any]:
    return pd.to_datetime(values, utc=True, errors="coerce", format="ISO8601")
