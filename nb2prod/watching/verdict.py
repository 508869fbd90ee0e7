"""From counts by day to a state for each series.

`quiet`: no evidence of a change. `drifting`: evidence, but the change may be smaller than what matters. `drifted`: evidence, and larger than what matters.
`waiting`: nothing to judge yet. Evidence is that of all series together (e-BH), so that the stated chance of a false alarm is the release's, not each field's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nb2prod.evidence.counts import CountEvidence
from nb2prod.evidence.families import as_number, rejected
from nb2prod.evidence.sizes import Size, total_variation
from nb2prod.watching.series import FIRST_ROWS, DayGroup, Kind, Series

Floats = npt.NDArray[np.float64]
State = Literal["quiet", "drifting", "drifted", "waiting"]
_PLENTY = 1_000_000


@dataclass(frozen=True)
class Thresholds:
    """What counts as an alarm: the chance of a false one over a release's life, the total variation that matters, and by how much the loss may rise."""

    alpha: float = 0.01
    materiality: float = 0.05
    rise: float = 0.05

    def promise(self, watched: int) -> str:
        """What an alarm states, in words."""
        return (
            f"chance of a false alarm over this release's life, all {watched} series together: {100 * self.alpha:.3g} %;"
            f" changes below a total variation of {self.materiality:g} raise none"
        )


@dataclass(frozen=True)
class Verdict:
    """How one series does.

    `evidence` says by how much the days since `since` speak for a change (1: not at all); `size` is the total variation between `reference` and
    `current`, the counts by bin of training (or of the first days) and since then.
    """

    name: str
    kind: Kind
    state: State
    evidence: float
    size: Size | None
    since: str | None
    labels: tuple[str, ...]
    reference: tuple[int, ...]
    current: tuple[int, ...]
    rows: int
    note: str = ""

    @property
    def shown_evidence(self) -> str:
        """The evidence in three digits; beyond a million it is just that."""
        return f"{self.evidence:.3g}" if self.evidence < _PLENTY else "above 1,000,000"

    @property
    def shown_size(self) -> str:
        """The total variation with its interval; empty where there is nothing to compare yet."""
        return "" if self.size is None else f"{self.size.value:.3f} ({self.size.low:.3f} to {self.size.high:.3f})"

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return asdict(self)


@dataclass(frozen=True)
class _Course:
    """One series over its days: the logarithm of the evidence after the last, and for the days that speak most for a change (all, or those of some weekdays) what
    they were held against, their counts, and the place of the likeliest beginning among them.
    """

    evidence: float
    days: tuple[dt.date, ...]
    counts: tuple[Floats, ...]
    group: DayGroup
    start: int
    rows: int


def verdicts(
    questions: Sequence[Series], tallies: Mapping[str, Mapping[dt.date, Floats]], thresholds: Thresholds
) -> tuple[Verdict, ...]:
    """The state of each series after its last day; those with the most evidence first."""
    courses = [_course(item, tallies.get(item.key) or {}) for item in questions]
    alarmed = rejected([course.evidence for course in courses], thresholds.alpha)
    made = [
        _verdict(item, course, told, thresholds) for item, course, told in zip(questions, courses, alarmed, strict=True)
    ]
    order = {"drifted": 0, "drifting": 1, "quiet": 2, "waiting": 3}
    return tuple(sorted(made, key=lambda item: (order[item.state], -item.evidence, item.name)))


def _course(item: Series, by_day: Mapping[dt.date, Floats]) -> _Course:
    days = [day for day in sorted(by_day) if by_day[day].sum() > 0]
    counts = [np.asarray(by_day[day], dtype="float64") for day in days]
    first = np.zeros(len(item.labels))
    if item.reference is None:
        while counts and first.sum() < FIRST_ROWS:
            first = first + counts.pop(0)
            days.pop(0)
    reference = tuple(int(count) for count in first) if item.reference is None else item.reference
    groups = item.groups or (DayGroup(tuple(range(7)), reference, item.wobble, item.days),)
    parts = [_part(group, days, counts) for group in groups]
    best = max(parts, key=lambda part: (part.evidence, len(part.days)))
    # The mean of e-processes is one.
    together = float(np.logaddexp.reduce([part.evidence for part in parts]) - np.log(len(parts)))
    return replace(best, evidence=together, rows=int(sum(seen.sum() for seen in counts)))


def _part(group: DayGroup, days: Sequence[dt.date], counts: Sequence[Floats]) -> _Course:
    mine = [at for at, day in enumerate(days) if day.weekday() in group.weekdays]
    evidence = CountEvidence(np.asarray(group.reference, dtype="float64"), wobble=group.wobble, days=group.days)
    for at in mine:
        evidence.add(counts[at])
    start = max(evidence.likeliest - 1, 0)
    return _Course(evidence.evidence, tuple(days[at] for at in mine), tuple(counts[at] for at in mine), group, start, 0)


def _verdict(item: Series, course: _Course, alarmed: bool, thresholds: Thresholds) -> Verdict:
    reference = course.group.reference
    if not course.days:
        note = "no rows yet" if item.reference is not None else _own_reference(sum(reference))
        return Verdict(
            item.name, item.kind, "waiting", 1.0, None, None, item.labels, reference, (0,) * len(reference), 0, note
        )
    current = np.sum(course.counts[course.start :], axis=0)
    size = _size(course)
    state: State = "quiet"
    if alarmed:
        state = "drifted" if size.low > thresholds.materiality else "drifting"
    return Verdict(
        item.name,
        item.kind,
        state,
        as_number(course.evidence),
        size,
        course.days[course.start].isoformat() if alarmed else None,
        item.labels,
        reference,
        tuple(int(count) for count in current),
        course.rows,
        "of its weekends" if course.group.weekdays == (5, 6) else "of its weekdays" if item.groups else "",
    )


def _own_reference(rows: int) -> str:
    """What a series without training's counts waits for."""
    if rows < FIRST_ROWS:
        return f"the service's first {FIRST_ROWS} rows are its reference; {rows} are there"
    return f"the service's first {rows:,} rows are its reference; it is held against them from the next day"


def _size(course: _Course) -> Size:
    """Where days differ by more than chance, their rows tell less about the shares than rows of as many days would."""
    group, counts = course.group, course.counts[course.start :]
    reference = np.asarray(group.reference, dtype="float64")
    if group.wobble is None:
        return total_variation(reference, np.sum(counts, axis=0))
    wobble = group.wobble

    def worth(seen: Floats, rows: float) -> Floats:
        return np.round(seen / (1 + max(rows - 1, 0) / (wobble + 1)))

    current = np.sum([worth(seen, seen.sum()) for seen in counts], axis=0)
    return total_variation(worth(reference, reference.sum() / group.days), current)
