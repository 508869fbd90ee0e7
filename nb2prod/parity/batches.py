"""The requests of the partition proof: the same rows in other company."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SUB_BATCHES = 8
_LARGEST_SUB_BATCH = 64
_ALIKE = 16
_REPEATS = 12
_MOST_CATEGORIES = 50


@dataclass(frozen=True)
class Batch:
    """One request: `positions` of the replay's rows, in the order sent."""

    name: str
    positions: tuple[int, ...]


def batches(rows: Sequence[Mapping[str, Any]], pool: Sequence[int], seed: int) -> Iterator[Batch]:
    """The pool's rows in halves, shuffled, in random sub-batches, among their like, and repeated.

    Rows that are all alike in one field (all missing, all of one category) show what is worked out from
    the values present; the same for the same seed.
    """
    if len(pool) > 1:
        yield from _rearranged(pool, random.Random(seed))  # noqa: S311 - the same requests for the same seed
        yield from _alike(rows, pool)
    for position in pool[:: max(1, len(pool) // 3)][:3]:
        yield Batch(f"one row {_REPEATS} times", (position,) * _REPEATS)


def row_by_row(pool: Sequence[int]) -> Iterator[Batch]:
    """Enough for a service that works row by row: neighbours hardly meet in it, and each row takes its time."""
    yield Batch("reversed", tuple(reversed(pool)))
    yield Batch(f"one row {_REPEATS} times", (pool[0],) * _REPEATS)


def _rearranged(pool: Sequence[int], rng: random.Random) -> Iterator[Batch]:
    middle = len(pool) // 2
    yield Batch("the first half", tuple(pool[:middle]))
    yield Batch("the second half", tuple(pool[middle:]))
    yield Batch("every other row", tuple(pool[::2]))
    yield Batch("reversed", tuple(reversed(pool)))
    for number in (1, 2):
        yield Batch(f"shuffled ({number})", tuple(rng.sample(pool, len(pool))))
    for number in range(1, _SUB_BATCHES + 1):
        size = rng.randint(2, min(len(pool), _LARGEST_SUB_BATCH))
        yield Batch(f"random sub-batch {number}", tuple(rng.sample(pool, size)))


def _alike(rows: Sequence[Mapping[str, Any]], pool: Sequence[int]) -> Iterator[Batch]:
    for name in dict.fromkeys(name for position in pool for name in rows[position]):
        missing = [position for position in pool if rows[position].get(name) is None]
        if missing:
            yield Batch(f"rows that lack {name}", tuple(missing[:_ALIKE]))
        kinds: dict[Any, list[int]] = {}
        for position in pool:
            value = rows[position].get(name)
            if isinstance(value, (str, bool)):
                kinds.setdefault(value, []).append(position)
        if 1 < len(kinds) <= _MOST_CATEGORIES:
            by_size = sorted(kinds.items(), key=lambda item: len(item[1]))
            for value, positions in (by_size[0], by_size[-1]):
                yield Batch(f"rows with {name} = {value!r}", tuple(positions[:_ALIKE]))
