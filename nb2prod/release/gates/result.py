"""What came of one gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nb2prod.criteria import Criterion

Outcome = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True)
class GateResult:
    """One gate. `value` is None where nothing was found, and `note` says why; an interval is of 95 %."""

    gate: str
    wanted: str
    outcome: Outcome
    value: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""


def judged(
    item: Criterion, value: float, low: float | None = None, high: float | None = None, note: str = ""
) -> GateResult:
    """A value that was found, held against what is wanted."""
    outcome: Outcome = "passed" if item.met(value) else "failed"
    return GateResult(item.name, item.wanted, outcome, value, low, high, note)


def undecided(item: Criterion, note: str) -> GateResult:
    """Nothing was found, and the note says why."""
    return GateResult(item.name, item.wanted, "undecided", note=note)
