"""The usual metrics of each task, under scikit-learn's names, for many weightings of the rows at once.

A weighting is how often each row counts: ones for the value itself, the counts of a resample for its interval. Every function takes weights
of shape (b, n) and gives b values; nan where a metric is not defined for a weighting (one class alone, nothing predicted as positive).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nb2prod.evaluation.sample import Codes, Floats, Sample

Weights = npt.NDArray[np.float64]
MOST_RANKED = 20
"""More classes than these are not each ranked against the rest."""
TINY = float(np.finfo(np.float64).eps)
"""Probabilities are kept away from 0 and 1 by this for the logarithm, as scikit-learn does."""


@dataclass(frozen=True)
class Measure:
    """A metric: what it is called, which end is better, how it is computed, and which words say that it is not defined."""

    name: str
    larger_is_better: bool
    values: Callable[[Sample, Weights], Floats]
    undefined: str = "not defined for these rows"


def measures(sample: Sample) -> tuple[Measure, ...]:
    """The metrics of a sample's task, the one that is named first first."""
    if sample.task == "regression":
        return REGRESSION
    if sample.task == "ranking":
        return RANKING
    labels = BINARY if sample.task == "binary" else MULTICLASS
    if sample.scores is None:
        return labels
    if sample.task == "binary":
        return (*BINARY_CHANCES, *labels)
    ranked = len(np.unique(sample.truth)) <= MOST_RANKED
    return (*(MULTICLASS_CHANCES if ranked else MULTICLASS_CHANCES[2:]), *labels)


def row_loss(sample: Sample) -> tuple[str, Floats] | None:
    """A loss that each row has by itself, by which slices are compared, with its name; None for a ranking."""
    if sample.task == "regression":
        assert sample.answer is not None
        return "absolute error", np.abs(sample.truth - sample.answer)
    if sample.task == "ranking":
        return None
    if sample.scores is not None:
        return "Brier score", _brier_of_rows(sample)
    return "share of wrong answers", (sample.truth != sample.answer).astype("float64")


# labels ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Counts:
    """Weighted counts of each class, (b, k) each: right answers, rows that are of it, rows that were answered with it."""

    right: Floats
    real: Floats
    given: Floats


def _counts(sample: Sample, weights: Weights) -> _Counts:
    assert sample.answer is not None
    k = len(sample.classes)
    right = np.where(sample.truth == sample.answer, sample.truth, k)
    return _Counts(_sums(right, weights, k), _sums(sample.truth, weights, k), _sums(sample.answer, weights, k))


def _sums(codes: Codes, weights: Weights, k: int) -> Floats:
    """Sum of the weights by code below k: (b, k)."""
    order = np.argsort(codes, kind="stable")
    summed = np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights[:, order], axis=1)], axis=1)
    ends = np.searchsorted(codes[order], np.arange(k + 1), side="left")
    return np.asarray(summed[:, ends[1:]] - summed[:, ends[:-1]])


def _divided(over: Floats, under: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(under > 0, over / np.where(under > 0, under, 1.0), np.nan)


def _accuracy(sample: Sample, weights: Weights) -> Floats:
    assert sample.answer is not None
    return _mean((sample.truth == sample.answer).astype("float64"), weights)


def _precision(sample: Sample, weights: Weights) -> Floats:
    counts = _counts(sample, weights)
    return _divided(counts.right[:, 1], counts.given[:, 1])


def _recall(sample: Sample, weights: Weights) -> Floats:
    counts = _counts(sample, weights)
    return _divided(counts.right[:, 1], counts.real[:, 1])


def _f1(sample: Sample, weights: Weights) -> Floats:
    counts = _counts(sample, weights)
    return _divided(2 * counts.right[:, 1], counts.real[:, 1] + counts.given[:, 1])


def _balanced(sample: Sample, weights: Weights) -> Floats:
    counts = _counts(sample, weights)
    return _mean_of_known(_divided(counts.right, counts.real))


def _f1_macro(sample: Sample, weights: Weights) -> Floats:
    counts = _counts(sample, weights)
    return _mean_of_known(_divided(2 * counts.right, counts.real + counts.given))


def _f1_weighted(sample: Sample, weights: Weights) -> Floats:
    counts = _counts(sample, weights)
    each = np.nan_to_num(_divided(2 * counts.right, counts.real + counts.given))
    return _divided((each * counts.real).sum(axis=1), counts.real.sum(axis=1))


def _mean_of_known(values: Floats) -> Floats:
    """The mean over the classes that are there."""
    known = ~np.isnan(values)
    return _divided(np.nansum(values, axis=1), known.sum(axis=1).astype("float64"))


# probabilities --------------------------------------------------------------------------------------------------------


def _log_loss(sample: Sample, weights: Weights) -> Floats:
    assert sample.scores is not None
    totals = sample.scores.sum(axis=1, keepdims=True)
    chances = np.clip(sample.scores / np.where(totals > 0, totals, 1.0), TINY, 1 - TINY)
    return _mean(-np.log(chances[np.arange(len(sample)), sample.truth]), weights)


def _brier(sample: Sample, weights: Weights) -> Floats:
    return _mean(_brier_of_rows(sample), weights)


def _brier_of_rows(sample: Sample) -> Floats:
    """Of two classes the squared error of the positive one's probability; of more, summed over the classes."""
    assert sample.scores is not None
    real = np.zeros_like(sample.scores)
    real[np.arange(len(sample)), sample.truth] = 1.0
    squared = (sample.scores - real) ** 2
    return np.asarray(squared[:, 1] if sample.task == "binary" else squared.sum(axis=1))


def _roc_auc(sample: Sample, weights: Weights) -> Floats:
    assert sample.scores is not None
    return _auc(sample.truth == 1, sample.scores[:, -1], weights)


def _average_precision(sample: Sample, weights: Weights) -> Floats:
    assert sample.scores is not None
    return _precision_area(sample.truth == 1, sample.scores[:, -1], weights)


def _roc_auc_ovr(sample: Sample, weights: Weights) -> Floats:
    return _over_classes(sample, weights, _auc)


def _average_precision_macro(sample: Sample, weights: Weights) -> Floats:
    return _over_classes(sample, weights, _precision_area)


def _over_classes(
    sample: Sample, weights: Weights, area: Callable[[npt.NDArray[np.bool_], Floats, Weights], Floats]
) -> Floats:
    """The mean over the classes, each against the rest; nan where one of those that the rows have can't be told."""
    assert sample.scores is not None
    there = np.unique(sample.truth)
    return np.asarray(np.mean([area(sample.truth == k, sample.scores[:, k], weights) for k in there], axis=0))


@dataclass(frozen=True)
class _Ranks:
    """Weights of positive and of other rows by distinct score, ascending: (b, g) each."""

    positive: Floats
    other: Floats


def _ranks(positive: npt.NDArray[np.bool_], scores: Floats, weights: Weights) -> _Ranks:
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(scores[order]) != 0]))
    sorted_weights = weights[:, order]
    marks = positive[order]
    return _Ranks(
        np.add.reduceat(sorted_weights * marks, starts, axis=1),
        np.add.reduceat(sorted_weights * ~marks, starts, axis=1),
    )


def _auc(positive: npt.NDArray[np.bool_], scores: Floats, weights: Weights) -> Floats:
    """The chance that a positive row is ranked above another one, ties counted half (Mann and Whitney)."""
    ranks = _ranks(positive, scores, weights)
    below = np.cumsum(ranks.other, axis=1) - ranks.other / 2
    pairs = ranks.positive.sum(axis=1) * ranks.other.sum(axis=1)
    return _divided((ranks.positive * below).sum(axis=1), pairs)


def _precision_area(positive: npt.NDArray[np.bool_], scores: Floats, weights: Weights) -> Floats:
    """The sum over thresholds of precision times the step in recall (scikit-learn's `average_precision_score`)."""
    ranks = _ranks(positive, scores, weights)
    hits, others = (np.cumsum(part[:, ::-1], axis=1) for part in (ranks.positive, ranks.other))
    precision = np.nan_to_num(_divided(hits, hits + others))
    return _divided((precision * ranks.positive[:, ::-1]).sum(axis=1), ranks.positive.sum(axis=1))


# numbers --------------------------------------------------------------------------------------------------------------


def _mean(values: Floats, weights: Weights) -> Floats:
    return _divided(weights @ values, weights.sum(axis=1))


def _errors(sample: Sample) -> Floats:
    assert sample.answer is not None
    return np.asarray(sample.answer - sample.truth, dtype="float64")


def _mae(sample: Sample, weights: Weights) -> Floats:
    return _mean(np.abs(_errors(sample)), weights)


def _rmse(sample: Sample, weights: Weights) -> Floats:
    return np.sqrt(_mean(_errors(sample) ** 2, weights))


def _r2(sample: Sample, weights: Weights) -> Floats:
    real = np.asarray(sample.truth, dtype="float64") - float(np.mean(sample.truth))  # moved, for precision
    spread = _mean(real**2, weights) - _mean(real, weights) ** 2
    floor = 1e-12 * float(np.mean(real**2))
    return 1 - _divided(_mean(_errors(sample) ** 2, weights), np.where(spread > floor, spread, 0.0))


_ONE_CLASS = "the rows are of one class alone"
_NO_POSITIVE = "no row of the positive class was there, or was answered with it"

BINARY_CHANCES = (
    Measure("roc_auc", larger_is_better=True, values=_roc_auc, undefined=_ONE_CLASS),
    Measure("average_precision", larger_is_better=True, values=_average_precision, undefined=_NO_POSITIVE),
    Measure("log_loss", larger_is_better=False, values=_log_loss),
    Measure("brier", larger_is_better=False, values=_brier),
)
BINARY = (
    Measure("f1", larger_is_better=True, values=_f1, undefined=_NO_POSITIVE),
    Measure("precision", larger_is_better=True, values=_precision, undefined="no row was answered as positive"),
    Measure("recall", larger_is_better=True, values=_recall, undefined="no row is of the positive class"),
    Measure("accuracy", larger_is_better=True, values=_accuracy),
    Measure("balanced_accuracy", larger_is_better=True, values=_balanced),
)
MULTICLASS_CHANCES = (
    Measure("roc_auc_ovr", larger_is_better=True, values=_roc_auc_ovr, undefined=_ONE_CLASS),
    Measure("average_precision_macro", larger_is_better=True, values=_average_precision_macro),
    Measure("log_loss", larger_is_better=False, values=_log_loss),
    Measure("brier", larger_is_better=False, values=_brier),
)
MULTICLASS = (
    Measure("f1_macro", larger_is_better=True, values=_f1_macro),
    Measure("f1_weighted", larger_is_better=True, values=_f1_weighted),
    Measure("accuracy", larger_is_better=True, values=_accuracy),
    Measure("balanced_accuracy", larger_is_better=True, values=_balanced),
)
RANKING = BINARY_CHANCES[:2]
REGRESSION = (
    Measure("mae", larger_is_better=False, values=_mae),
    Measure("rmse", larger_is_better=False, values=_rmse),
    Measure("r2", larger_is_better=True, values=_r2, undefined="the true values do not vary"),
)
BY_NAME: Mapping[str, Measure] = {
    item.name: item for item in (*BINARY_CHANCES, *BINARY, *MULTICLASS_CHANCES, *MULTICLASS, *REGRESSION)
}
