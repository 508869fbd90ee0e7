"""Every metric is scikit-learn's, for whole weights too: a weight of two is the row twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from nb2prod.evaluation.measures import BY_NAME, measures
from nb2prod.evaluation.sample import Sample


def chances_of(draw: Any, rows: int, classes: int) -> np.ndarray:
    """Probabilities with ties."""
    parts = np.array(
        draw(st.lists(st.lists(st.integers(1, 5), min_size=classes, max_size=classes), min_size=rows, max_size=rows))
    )
    return parts / parts.sum(axis=1, keepdims=True)


@st.composite
def of_classes(draw: Any) -> tuple[Sample, np.ndarray]:
    k = draw(st.integers(2, 4))
    rows = draw(st.integers(k, 25))
    codes = st.lists(st.integers(0, k - 1), min_size=rows, max_size=rows)
    truth = np.array([*range(k), *draw(codes)][:rows])
    answer = np.array(draw(codes))
    weights = np.array(draw(st.lists(st.integers(1, 3), min_size=rows, max_size=rows)), dtype=float)
    task = "binary" if k == 2 else "multiclass"
    made = Sample("p", task, truth, answer, chances_of(draw, rows, k), tuple("abcd"[:k]), np.arange(rows))
    return made, weights


@st.composite
def of_numbers(draw: Any) -> tuple[Sample, np.ndarray]:
    rows = draw(st.integers(2, 25))
    number = st.integers(-50, 50).map(float)
    truth, answer = (np.array(draw(st.lists(number, min_size=rows, max_size=rows))) for _ in range(2))
    weights = np.array(draw(st.lists(st.integers(1, 3), min_size=rows, max_size=rows)), dtype=float)
    return Sample("p", "regression", truth, answer, None, (), np.arange(rows)), weights


def brier(y: np.ndarray, scores: np.ndarray, w: np.ndarray) -> float:
    real = np.eye(scores.shape[1])[y]
    squared = (scores - real) ** 2
    return float(np.average(squared[:, 1] if scores.shape[1] == 2 else squared.sum(axis=1), weights=w))


LABELS = {
    "accuracy": lambda y, p, w: sk.accuracy_score(y, p, sample_weight=w),
    "balanced_accuracy": lambda y, p, w: sk.balanced_accuracy_score(y, p, sample_weight=w),
    "f1_macro": lambda y, p, w: sk.f1_score(y, p, average="macro", sample_weight=w),
    "f1_weighted": lambda y, p, w: sk.f1_score(y, p, average="weighted", sample_weight=w),
    "f1": lambda y, p, w: sk.f1_score(y, p, sample_weight=w),
    "precision": lambda y, p, w: sk.precision_score(y, p, sample_weight=w, zero_division=np.nan),
    "recall": lambda y, p, w: sk.recall_score(y, p, sample_weight=w),
}
CHANCES = {
    "log_loss": lambda y, s, w: sk.log_loss(y, s, sample_weight=w, labels=range(s.shape[1])),
    "brier": brier,
    "roc_auc": lambda y, s, w: sk.roc_auc_score(y, s[:, 1], sample_weight=w),
    "average_precision": lambda y, s, w: sk.average_precision_score(y, s[:, 1], sample_weight=w),
    "roc_auc_ovr": lambda y, s, w: np.mean(
        [sk.roc_auc_score(y == k, s[:, k], sample_weight=w) for k in range(s.shape[1])]
    ),
    "average_precision_macro": lambda y, s, w: np.mean(
        [sk.average_precision_score(y == k, s[:, k], sample_weight=w) for k in range(s.shape[1])]
    ),
}
NUMBERS = {
    "mae": lambda y, p, w: sk.mean_absolute_error(y, p, sample_weight=w),
    "rmse": lambda y, p, w: sk.root_mean_squared_error(y, p, sample_weight=w),
    "r2": lambda y, p, w: sk.r2_score(y, p, sample_weight=w),
}


@given(of_classes())
@settings(max_examples=60, deadline=None)
def test_classes(drawn: tuple[Sample, np.ndarray]) -> None:
    sample, weights = drawn
    for item in measures(sample):
        mine = item.values(sample, np.stack([np.ones(len(sample)), weights]))
        for value, w in zip(mine, (np.ones(len(sample)), weights), strict=True):
            given_to, oracle = (
                (sample.answer, LABELS[item.name]) if item.name in LABELS else (sample.scores, CHANCES[item.name])
            )
            assert value == pytest.approx(oracle(sample.truth, given_to, w), rel=1e-9, abs=1e-12, nan_ok=True), (
                item.name
            )


@given(of_numbers())
@settings(max_examples=60, deadline=None)
def test_numbers(drawn: tuple[Sample, np.ndarray]) -> None:
    sample, weights = drawn
    for item in measures(sample):
        (value,) = item.values(sample, weights[None, :])
        if item.name == "r2" and np.ptp(sample.truth) == 0:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(
                NUMBERS[item.name](sample.truth, sample.answer, weights), rel=1e-9, abs=1e-9
            ), item.name


def test_each_metric_has_an_oracle_here() -> None:
    assert set(BY_NAME) == {*LABELS, *CHANCES, *NUMBERS}


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "f1", "precision", "recall"])
def test_what_one_class_alone_can_not_tell_is_not_defined(name: str) -> None:
    chances = np.full((5, 2), 0.5)
    sample = Sample("p", "binary", np.zeros(5, int), np.zeros(5, int), chances, (0, 1), np.arange(5))
    assert np.isnan(BY_NAME[name].values(sample, np.ones((1, 5)))[0])
