"""One operation that has just run, and what is found out of the rows of its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .lineage import Lineage


@dataclass
class Operation:
    """One operation that has just run: what it was and what went in and came out."""

    kind: str
    name: str
    func: Any
    receiver: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    operands: list[Any]
    key: Any
    result: Any


@dataclass
class Outcome:
    """What the result carries; `event` is None, 'filter', 'select', 'order', 'merge' or 'reshape'."""

    lineage: Lineage | None = None
    event: str | None = None
    before: Lineage | None = None
    source: Any = None


NONE = Outcome()
