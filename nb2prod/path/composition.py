"""What the composer makes: the two modules, with the filters, frozen operations and captured values in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from nb2prod.path.captures import CapturedValue
from nb2prod.recording.trace import Step, Tree

TRAINING_ONLY, VALIDITY, EVERY, NONE = "training-only", "validity", "every row", "no row"


PARTIAL = "some rows"
"""A choice of some of the predicted rows, for which something is computed apart: it is made while serving as it stands."""


class Oracle(Protocol):
    """What the composer may ask of the kernel."""

    def globals(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """Classify the current values of global names, taking snapshots of plain values."""

    def empty_table(self, table: int) -> int:
        """A snapshot of a table without its rows."""


@dataclass(frozen=True)
class FilterUse:
    """One filter or selection on the path and how it is served."""

    id: str
    cell: int | None
    line: int | None
    source: str
    operation: str
    klass: str
    tags: frozenset[str]
    before: int
    after: int
    rule: str
    """What a refused row is told: cell, line and condition."""


@dataclass(frozen=True)
class FrozenUse:
    """One frozen operation on the path."""

    op: str
    rule: str
    phrase: str
    cell: int | None
    line: int | None
    source: str


@dataclass(frozen=True)
class Composition:
    """The two modules, and what they were made of."""

    features: str
    predict: str
    captured: tuple[CapturedValue, ...]
    filters: tuple[FilterUse, ...]
    frozen: tuple[FrozenUse, ...]
    imports: frozenset[str]
    lines: tuple[tuple[int, int, str], ...]
    argument: str | None
    returns: tuple[str, ...]


@dataclass(frozen=True)
class Classes:
    """How filters are served: `settled` by filter id, as the trials showed; `told` by cell.line, as the user or the tags say."""

    settled: dict[str, str]
    told: dict[str, str]
    otherwise: str = VALIDITY


Handler = Callable[[Step, Tree, dict[str, Any], dict[str, Any]], None]
"""Turns an event of a step into edits of its tree; the last argument is what kept loops' variables held then."""
