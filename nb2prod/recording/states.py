"""The states of the notebook's functions and classes: what each read of the notebook when it was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Seen:
    """What a name stood for. `kind`: value, rows, module, import, function, class, iterator, or part.

    `snapshot`: of a value, and of rows that code which has not run may ask; `lineage`: of rows; `state`: of a function or class, where one is known; `part`: which other part of the same state it is.
    """

    kind: str
    snapshot: int | None = None
    state: int | None = None
    part: int | None = None
    lineage: int | None = None


@dataclass(frozen=True)
class Part:
    """One definition in a state.

    `k`: its statement; `defining` and `calling`: what it reads by name when it runs, and when it is called; `held`: the values of its defaults
    and attributes, by the expression's node; `changed`: attributes of a class that were set after its definition.
    """

    k: int
    name: str
    defining: Mapping[str, Seen]
    calling: Mapping[str, Seen]
    held: Mapping[int, Seen]
    changed: Mapping[str, Seen]


State = tuple[Part, ...]
"""A definition, and those that it reads after it."""


def numbered(raw: list[list[dict[str, Any]]]) -> dict[int, State]:
    """Read the states that a recorder holds, by number."""
    return {number: _state(parts) for number, parts in enumerate(raw)}


def _state(raw: list[dict[str, Any]]) -> State:
    return tuple(
        Part(
            part["k"],
            part["name"],
            {name: seen(found) for name, found in part["defining"].items()},
            {name: seen(found) for name, found in part["calling"].items()},
            {int(node): seen(found) for node, found in part["held"].items()},
            {name: seen(found) for name, found in part["set"].items()},
        )
        for part in raw
    )


def seen(raw: dict[str, Any]) -> Seen:
    """Read what a name stood for."""
    return Seen(raw["kind"], raw.get("snapshot"), raw.get("state"), raw.get("part"), raw.get("lineage"))
