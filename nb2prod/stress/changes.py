"""Requests altered in one field each, as a form, another team's code or a typing error would."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nb2prod.evaluation.stress import Kind
from nb2prod.runtime.signature import Column, Signature

_UNSEEN = "value that training never had"
_FEW = 3
"""Letters below which a text has no typing error."""


@dataclass(frozen=True)
class Change:
    """The rows at the positions `chosen`, each with another value in `field`."""

    kind: Kind
    field: str
    chosen: tuple[int, ...]
    rows: tuple[Mapping[str, Any], ...]


def changes(
    rows: Sequence[Mapping[str, Any]], signature: Signature, reference: Mapping[str, Any], seed: int = 0
) -> Iterator[Change]:
    """All that are tried, field by field; the same seed gives the same."""
    rng = random.Random(seed)  # noqa: S311 - typing errors, the same for the same seed
    for column in signature.fields:
        name = column.key
        yield _change(
            "missing", name, rows, [at for at, row in enumerate(rows) if row.get(name) is not None], lambda _: None
        )
        if column.type == "string":
            yield from _of_text(name, rows, rng)
        elif column.type in ("number", "integer"):
            spread = ((reference.get("columns") or {}).get(name) or {}).get("std")
            yield from _of_number(column, rows, float(spread or 0.0))


def _of_text(name: str, rows: Sequence[Mapping[str, Any]], rng: random.Random) -> Iterator[Change]:
    texts = [at for at, row in enumerate(rows) if isinstance(row.get(name), str)]
    yield _change("unseen", name, rows, texts, lambda _: _UNSEEN)
    long = [at for at in texts if len(rows[at][name]) >= _FEW]
    yield _change("typing error", name, rows, long, lambda text: _mistyped(text, rng))


def _of_number(column: Column, rows: Sequence[Mapping[str, Any]], spread: float) -> Iterator[Change]:
    if not spread:
        return
    step = max(1, round(spread)) if column.type == "integer" else spread
    numbers = [at for at, row in enumerate(rows) if _is_number(row.get(column.key))]
    yield _change("lower", column.key, rows, numbers, lambda value: value - step)
    yield _change("higher", column.key, rows, numbers, lambda value: value + step)


def _change(kind: Kind, name: str, rows: Sequence[Mapping[str, Any]], chosen: Sequence[int], alter: Any) -> Change:
    return Change(kind, name, tuple(chosen), tuple({**rows[at], name: alter(rows[at][name])} for at in chosen))


def _mistyped(text: str, rng: random.Random) -> str:
    """Two letters that are not the same change places, or one is lost."""
    places = [at for at in range(len(text) - 1) if text[at] != text[at + 1]]
    if places and rng.random() < 0.5:
        at = rng.choice(places)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    at = rng.randrange(len(text))
    return text[:at] + text[at + 1 :]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
