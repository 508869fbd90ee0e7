"""Two releases on the same rows: the difference in each metric, by resamples that draw each row for both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from nb2prod.evaluation.intervals import Interval, percentiles, weightings
from nb2prod.evaluation.measures import Measure, measures
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.evaluation.sample import Floats, Sample, samples

FEWEST = 30
"""Below so many rows in common nothing is said to be better or worse."""

Verdict = Literal["better", "worse", "no difference", "too few rows to tell"]


@dataclass(frozen=True)
class PairedMetric:
    """A metric of both releases on the rows that both predicted: the second less the first, with its interval of 95 %."""

    output: str
    name: str
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    larger_is_better: bool
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """The metrics that both have, on `rows` rows; without any, `reason` says why."""

    rows: int
    metrics: tuple[PairedMetric, ...] = ()
    reason: str | None = None


def compare(first: Outcomes, second: Outcomes, name: str) -> Comparison:
    """Compare the second with the first on the rows that both evaluated and of which the same is true; `name` is the prediction's.

    A row is the same where all that the raw table holds of it is; a row of which the two know different true values is left out.
    """
    for which, item in (("first", first), ("second", second)):
        if item.reason is not None:
            return Comparison(0, reason=f"The {which} has no metrics: {item.reason}")
        if item.kind == "training":
            return Comparison(0, reason=f"The {which} was evaluated only on rows that it had learned from.")
    pairs = _pairs(first, second)
    if not pairs:
        return Comparison(0, reason="There is no row that both evaluated and of which both know the same to be true.")
    one, other = (_taken(item, [pair[side] for pair in pairs]) for side, item in enumerate((first, second)))
    both = zip(samples(one, name).outputs, samples(other, name).outputs, strict=False)
    found = tuple(made for a, b in both for made in _paired(a, b))
    reason = None if found else "The two releases predict things that no metric of both measures."
    return Comparison(len(pairs), found, reason)


def _pairs(first: Outcomes, second: Outcomes) -> list[tuple[int, int]]:
    at = {key: position for position, key in enumerate(first.keys)}
    known = ((at[key], position) for position, key in enumerate(second.keys) if key in at)
    return [(a, b) for a, b in known if _same(first.truth[a], second.truth[b])]


def _same(one: Any, other: Any) -> bool:
    numbers = (bool, int, float)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)


def _taken(outcomes: Outcomes, positions: Sequence[int]) -> Outcomes:
    """The outcomes of these rows alone."""
    return replace(
        outcomes,
        keys=tuple(outcomes.keys[at] for at in positions),
        row_ids=tuple(outcomes.row_ids[at] for at in positions),
        predictions=tuple(outcomes.predictions[at] for at in positions),
        truth=tuple(outcomes.truth[at] for at in positions),
        scores=None if outcomes.scores is None else tuple(outcomes.scores[at] for at in positions),
        rows=(),
    )


def _paired(one: Sample, other: Sample) -> list[PairedMetric]:
    """The metrics of one output that both have, on the rows for which both have a prediction."""
    _, mine, yours = np.intersect1d(one.positions, other.positions, return_indices=True)
    one, other = one.take(mine), other.take(yours)
    names = {item.name for item in measures(other)} if one.task == other.task and len(one) else set()
    shared = [item for item in measures(one) if item.name in names]
    if not shared:
        return []
    once = np.ones((1, len(one)))
    drawn = [
        [item.values(other, weights) - item.values(one, weights) for item in shared] for weights in weightings(len(one))
    ]
    found = []
    for at, item in enumerate(shared):
        values = [float(item.values(sample, once)[0]) for sample in (one, other)]
        if not any(map(math.isnan, values)):
            spread = np.concatenate([part[at] for part in drawn])
            found.append(_metric(one, item, (values[0], values[1]), spread))
    return found


def _metric(sample: Sample, item: Measure, values: tuple[float, float], spread: Floats) -> PairedMetric:
    first, second = values
    interval = percentiles(spread)
    return PairedMetric(
        sample.name,
        item.name,
        first,
        second,
        second - first,
        interval.low,
        interval.high,
        item.larger_is_better,
        _verdict(len(sample), interval, spread, larger_is_better=item.larger_is_better),
    )


def _verdict(rows: int, interval: Interval, spread: Floats, *, larger_is_better: bool) -> Verdict:
    if not np.any(spread):
        return "no difference"
    if rows < FEWEST or interval.low is None or interval.high is None or interval.low <= 0 <= interval.high:
        return "too few rows to tell"
    return "better" if (interval.low > 0) == larger_is_better else "worse"
