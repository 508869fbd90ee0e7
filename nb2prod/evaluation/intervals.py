"""Values with their intervals of 95 %: exact for shares of rows, else percentiles of seeded resamples of the rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from nb2prod.evaluation.measures import Measure, Weights
from nb2prod.evaluation.sample import Sample

LEVEL = 0.95
SEED = 0
MOST, FEWEST = 1_000, 200
"""Resamples: many where there are few rows; where there are many, the interval is narrow and so is its error."""
CELLS = 1_000_000
"""So many rows times resamples at least are spent, and held at once at most."""
EXACT, BOOTSTRAP = "exact binomial", "bootstrap"
SHARES = ("accuracy", "precision", "recall")


@dataclass(frozen=True)
class Interval:
    """From `low` to `high` by `method`; both are None where `reason` says why there is none."""

    low: float | None
    high: float | None
    method: str
    reason: str = ""


@dataclass(frozen=True)
class Metric:
    """A metric of some rows; `value` is None where it is not defined, and `reason` says why that, or the interval, is missing."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    larger_is_better: bool = True
    method: str = ""
    reason: str = ""


def resamples(rows: int) -> int:
    """How many resamples of so many rows an interval takes."""
    return int(np.clip(CELLS // max(rows, 1), FEWEST, MOST))


def weightings(rows: int, seed: int = SEED) -> Iterator[Weights]:
    """How often each row is drawn in each resample, some resamples at a time: (b, rows)."""
    rng = np.random.default_rng(seed)
    left = resamples(rows)
    while left:
        part = min(left, max(1, CELLS // max(rows, 1)))
        drawn = rng.integers(0, rows, size=(part, rows)) + rows * np.arange(part)[:, None]
        yield np.bincount(drawn.ravel(), minlength=part * rows).reshape(part, rows).astype("float64")
        left -= part


def measured(sample: Sample, wanted: Sequence[Measure]) -> tuple[Metric, ...]:
    """Each metric with its interval; the same resamples serve all of them."""
    once = np.ones((1, len(sample)))
    values = [float(item.values(sample, once)[0]) for item in wanted]
    drawn = [item for item in wanted if item.name not in SHARES]
    parts = [[item.values(sample, weights) for item in drawn] for weights in weightings(len(sample))] if drawn else []
    by_name = {item.name: np.concatenate([part[at] for part in parts]) for at, item in enumerate(drawn)}
    found = []
    for item, value in zip(wanted, values, strict=True):
        if math.isnan(value):
            found.append(Metric(item.name, None, larger_is_better=item.larger_is_better, reason=item.undefined))
            continue
        interval = _exact(sample, item.name) if item.name in SHARES else percentiles(by_name[item.name])
        found.append(
            Metric(
                item.name,
                value,
                interval.low,
                interval.high,
                item.larger_is_better,
                interval.method,
                interval.reason,
            )
        )
    return tuple(found)


def percentiles(values: npt.NDArray[np.float64]) -> Interval:
    """The middle 95 % of what resamples gave."""
    known = values[~np.isnan(values)]
    if len(known) < LEVEL * len(values):
        return Interval(None, None, BOOTSTRAP, f"not defined in {1 - len(known) / len(values):.0%} of the resamples")
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if low == high:
        return Interval(None, None, BOOTSTRAP, "every resample gives the same value, which bounds nothing")
    return Interval(float(low), float(high), BOOTSTRAP)


def share(count: int, of: int) -> Interval:
    """The interval of Clopper and Pearson for a share of rows."""
    found = stats.binomtest(count, of).proportion_ci(LEVEL, method="exact")
    return Interval(float(found.low), float(found.high), EXACT)


def _exact(sample: Sample, name: str) -> Interval:
    assert sample.answer is not None
    right = sample.truth == sample.answer
    among = {"accuracy": np.ones(len(sample), bool), "precision": sample.answer == 1, "recall": sample.truth == 1}[name]
    return share(int((right & among).sum()), int(among.sum()))
