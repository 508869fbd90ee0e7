"""The new model may be worse by the margin, and must be shown not to be by more."""

import numpy as np
import pytest

from nb2prod.evaluation import comparison
from nb2prod.evaluation.comparison import PairedMetric
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.retraining import contest


def pair(low, high, *, larger_is_better=False, first=10.0, verdict="too few rows to tell"):
    middle = (low + high) / 2
    return PairedMetric("p", "mae", first, first + middle, middle, low, high, larger_is_better, verdict)


@pytest.mark.parametrize(
    ("low", "high", "larger_is_better", "outcome"),
    [
        (-1.0, 0.15, False, "passed"),
        (0.3, 0.9, False, "failed"),
        (-0.5, 0.5, False, "undecided"),
        (-0.15, 1.0, True, "passed"),
        (-0.9, -0.3, True, "failed"),
        (-0.5, 0.5, True, "undecided"),
    ],
)
def test_the_whole_interval_has_to_be_within_the_margin(low, high, larger_is_better, outcome):
    found = contest.judged_pair(contest.HELD_OUT, pair(low, high, larger_is_better=larger_is_better), 100, 0.02)
    assert found.outcome == outcome
    assert bool(found.reason) == (outcome == "undecided")


def test_few_rows_decide_nothing_and_equal_answers_are_not_worse():
    assert contest.judged_pair(contest.HELD_OUT, pair(-5.0, -4.0), 29, 0.02).outcome == "undecided"
    assert contest.judged_pair(contest.HELD_OUT, pair(0.0, 0.0, verdict="no difference"), 5, 0.0).outcome == "passed"


def outcomes(predictions, truth):
    keys = tuple(map(str, range(len(truth))))
    return Outcomes(
        row_ids=tuple(range(len(truth))),
        keys=keys,
        predictions=tuple(predictions),
        truth=tuple(truth),
        estimator="regressor",
    )


def test_a_challenger_that_is_worse_by_twice_the_margin_is_hardly_ever_let_through():
    """Of 300 that are, at most 3 pass; of 300 that are as good, most do."""
    rng = np.random.default_rng(3)
    margin, passed = 0.05, {"worse": 0, "as good": 0}
    for _ in range(300):
        truth = rng.normal(50, 10, 400)
        errors = np.abs(rng.normal(0, 4, 400))
        signs = rng.choice([-1, 1], 400)
        champion = outcomes(truth + signs * errors, truth)
        for name, factor in (("worse", 1 + 2 * margin), ("as good", 1.0)):
            other = truth + signs * np.abs(errors * factor + rng.normal(0, 0.4, 400))
            found = comparison.compare(champion, outcomes(other, truth), "p")
            judged = contest.judged_pair(contest.HELD_OUT, found.metrics[0], found.rows, margin)
            passed[name] += judged.outcome == "passed"
    assert passed["worse"] <= 3
    assert passed["as good"] >= 250
