"""What the counterfactual runs found: rows with other values, and what the notebook itself gave them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Changed:
    """One row of the raw table that was given other values."""

    row_id: int
    words: str
    """What it was given, in a few words."""
    request: Mapping[str, Any]
    """The changed row as a request gives it."""
    outcome: Literal["value", "raises"]
    """`raises`: the notebook leaves the row out by a rule that looks at the row alone."""
    expected: Any
    """What the notebook predicted for it, or which line left it out."""
    features: Any = None
    """What the model was given for it, where it is known."""
    number: int = 0
    """The number of the change in its turn."""
    turn: int = 0


@dataclass(frozen=True)
class Found:
    """All that the runs found. `missing` says why there are no rows, where there are none."""

    rows: tuple[Changed, ...] = ()
    missing: str = ""
    runs: int = 0
    seconds: float = 0.0
    held: int = 0
    """How many values that the first run took from all rows would have been others, and were held."""
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """As the worker writes it."""
        return asdict(self)


def from_json(document: Mapping[str, Any]) -> Found:
    """The inverse of `Found.to_json`."""
    rows = tuple(Changed(**row) for row in document["rows"])
    return Found(**{**document, "rows": rows, "notes": tuple(document["notes"])})
