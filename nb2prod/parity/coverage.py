"""Which rows to take where not all can be: few rows that hold every kind of thing that the data holds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_MOST_CATEGORIES = 200
"""A text field with more values than this is names or free text, not a category."""
_EXTREMES = 2

Row = Mapping[str, Any]


def choose(rows: Sequence[Row], limit: int, *, seed: int = 0, expected: Sequence[Any] = ()) -> list[int]:
    """Positions of at most `limit` rows, ascending, the same for the same seed.

    Chosen so that they hold, as far as `limit` goes and in this order: every pattern of missing values,
    the extremes of each number and date, every label of `expected`, every category (rare ones first);
    the rest is drawn at random.
    """
    if len(rows) <= limit:
        return list(range(len(rows)))
    chosen: dict[int, None] = {}
    covered: set[object] = set()
    tokens = _tokens(rows, expected)
    held: dict[int, list[object]] = {}
    for token, positions in tokens.items():
        for position in positions:
            held.setdefault(position, []).append(token)
    for token in sorted(tokens, key=lambda item: (_RANK[item[0]], len(tokens[item]), tokens[item][0])):
        if len(chosen) >= limit:
            break
        if token not in covered:
            position = tokens[token][0]
            chosen[position] = None
            covered.update(held[position])
    spare = [position for position in range(len(rows)) if position not in chosen]
    drawn = random.Random(seed).sample(spare, limit - len(chosen))  # noqa: S311 - the same for the same seed
    chosen.update(dict.fromkeys(drawn))
    return sorted(chosen)


_RANK = {"missing": 0, "extreme": 1, "label": 2, "category": 3}
_Token = tuple[str, Any, Any]


def _tokens(rows: Sequence[Row], expected: Sequence[Any]) -> dict[_Token, list[int]]:
    """What there is to cover -> positions of the rows that have it."""
    found: dict[_Token, list[int]] = {}
    for position, row in enumerate(rows):
        pattern = tuple(name for name, value in row.items() if value is None)
        found.setdefault(("missing", pattern, None), []).append(position)
    for name in dict.fromkeys(name for row in rows for name in row):
        for token, position in _of_field(name, [row.get(name) for row in rows]):
            found.setdefault(token, []).append(position)
    labels = [value for value in expected if isinstance(value, (str, bool, int))]
    if labels and len(set(labels)) <= _MOST_CATEGORIES:
        for position, value in enumerate(expected):
            found.setdefault(("label", type(value).__name__, str(value)), []).append(position)
    return found


def _of_field(name: str, values: Sequence[Any]) -> Iterator[tuple[_Token, int]]:
    numbers = [(value, position) for position, value in enumerate(values) if _is_number(value)]
    if numbers:
        numbers.sort()
        for order, (_, position) in enumerate([*numbers[:_EXTREMES], *numbers[-_EXTREMES:]]):
            yield ("extreme", name, order), position
    texts = [(value, position) for position, value in enumerate(values) if isinstance(value, (str, bool))]
    kinds = Counter(value for value, _ in texts)
    if len(kinds) <= _MOST_CATEGORIES:
        for value, position in texts:
            yield ("category", name, value), position
    elif texts:
        # Free text, or dates: the ends of the alphabet, the longest and the shortest.
        ends = (min(texts, key=_text), max(texts, key=_text), min(texts, key=_length), max(texts, key=_length))
        for order, (_, position) in enumerate(ends):
            yield ("extreme", name, order), position


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(item: tuple[Any, int]) -> str:
    return str(item[0])


def _length(item: tuple[Any, int]) -> int:
    return len(str(item[0]))
