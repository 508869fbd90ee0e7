"""Whether a value that is kept holds rows of training as they were: a table, or a model that remembers what it was fitted to (nearest neighbours do)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .lineage import SCALARS, Kinds, length

MOST_OBJECTS, MOST_MEMBERS = 2_000, 50
"""How many objects inside of a value are looked at, and of one container: the trees of a forest are alike."""


def rows_held(value: Any, fitted_rows: Callable[[Any], int]) -> int:
    """The most rows that a table inside of `value` has, of an object that was fitted to as many; 0 where it holds none.

    Args:
        value: what is kept: a model, a pipeline, a container of them.
        fitted_rows: to how many rows an object was fitted; 0 where that is not known.
    """
    most, seen, left = 0, {id(value)}, [(value, 0)]
    while left and len(seen) < MOST_OBJECTS:
        part, rows = left.pop()
        rows = fitted_rows(part) or rows
        if rows > 1 and _is_table(part) and length(part) == rows:
            most = max(most, rows)
        for member in _members(part):
            if not isinstance(member, SCALARS) and id(member) not in seen:
                seen.add(id(member))
                left.append((member, rows))
    return most


def _is_table(value: Any) -> bool:
    return Kinds.pandas(value) or Kinds.sparse(value) or (Kinds.array(value) and value.ndim == 2)


def _members(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value[:MOST_MEMBERS])
    if isinstance(value, dict):
        return list(value.values())[:MOST_MEMBERS]
    if isinstance(value, type) or length(value) >= 0:
        return []
    return list(getattr(value, "__dict__", {}).values())[:MOST_MEMBERS]
