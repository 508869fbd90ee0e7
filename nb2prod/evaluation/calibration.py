"""Whether what is predicted comes true: predicted and observed means in groups of rows by what was predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from nb2prod.evaluation.intervals import LEVEL, share
from nb2prod.evaluation.sample import Sample

BINS = 10
FEWEST = 10
"""Rows of a group at least: fewer groups where there are few rows."""


@dataclass(frozen=True)
class Bin:
    """Rows of like predictions: their mean prediction, and the mean of what was true with its interval of 95 % (None: it can't be told)."""

    rows: int
    predicted: float
    observed: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Calibration:
    """Groups of about equal size, from the lowest prediction to the highest; `error` is the mean distance of predicted from observed, by rows.

    `of`: what is predicted: a number, the probability of the positive class, or that of the most probable class.
    """

    of: Literal["number", "probability of the positive class", "probability of the most probable class"]
    bins: tuple[Bin, ...]
    error: float


def calibration(sample: Sample) -> Calibration | None:
    """The calibration of a sample; None where it has neither probabilities nor numbers."""
    if sample.task == "regression":
        assert sample.answer is not None
        return _made("number", np.asarray(sample.answer, dtype="float64"), np.asarray(sample.truth, dtype="float64"))
    if sample.scores is None or sample.task == "ranking":
        return None
    if sample.task == "binary":
        return _made("probability of the positive class", sample.scores[:, 1], (sample.truth == 1).astype("float64"))
    likely = sample.scores.argmax(axis=1)
    right = (likely == sample.truth).astype("float64")
    return _made("probability of the most probable class", sample.scores.max(axis=1), right)


def _made(
    of: Literal["number", "probability of the positive class", "probability of the most probable class"],
    predicted: npt.NDArray[np.float64],
    observed: npt.NDArray[np.float64],
) -> Calibration:
    order = np.argsort(predicted, kind="stable")
    count = int(np.clip(len(predicted) // FEWEST, 1, BINS))
    bins = []
    for rows in np.array_split(order, count):
        real = observed[rows]
        low, high = _interval(real, shares=of != "number")
        bins.append(Bin(len(rows), float(predicted[rows].mean()), float(real.mean()), low, high))
    error = sum(b.rows * abs(b.predicted - b.observed) for b in bins) / len(predicted)
    return Calibration(of, tuple(bins), error)


def _interval(real: npt.NDArray[np.float64], *, shares: bool) -> tuple[float | None, float | None]:
    if shares:
        found = share(int(real.sum()), len(real))
        return found.low, found.high
    if len(real) < 2 or np.ptp(real) == 0:
        return None, None
    low, high = stats.t.interval(LEVEL, len(real) - 1, loc=real.mean(), scale=stats.sem(real))
    return float(low), float(high)
