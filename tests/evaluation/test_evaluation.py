"""From outcomes to metrics: the task, the intervals, the slices, calibration, and what is said where something is missing."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from nb2prod.evaluation import evaluation, outcomes, slices, words
from nb2prod.evaluation.calibration import calibration
from nb2prod.evaluation.intervals import measured, share
from nb2prod.evaluation.measures import BY_NAME
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.evaluation.sample import Sample, samples

RNG = np.random.default_rng(5)
Y = (RNG.random(400) < 0.4).astype(int)
P = np.clip(0.4 + 0.25 * (Y - 0.4) + RNG.normal(0, 0.15, 400), 0.01, 0.99)


def made(predictions: Any, truth: Any, **more: Any) -> Outcomes:
    plain = lambda values: tuple(v.item() if isinstance(v, np.generic) else v for v in values)  # noqa: E731
    return Outcomes(predicted=len(predictions), predictions=plain(predictions), truth=plain(truth), **more)


LABELS = {"f1", "precision", "recall", "accuracy", "balanced_accuracy"}
CHANCES = {"roc_auc", "average_precision", "log_loss", "brier"}
MANY = {"f1_macro", "f1_weighted", "accuracy", "balanced_accuracy"}
MANY_CHANCES = {"roc_auc_ovr", "average_precision_macro", "log_loss", "brier"}
NUMBERS = {"mae", "rmse", "r2"}
TASKS = {
    "labels": (made(Y, Y, estimator="classifier"), [("p", "binary", LABELS)]),
    "labels with probabilities": (
        made(Y, Y, classes=(0, 1), scores=tuple((1 - p, p) for p in P)),
        [("p", "binary", LABELS | CHANCES)],
    ),
    "a probability": (made(P, Y * 1.0, estimator="classifier"), [("p", "binary", LABELS | CHANCES)]),
    "a distance": (made(P * 9 - 3, Y * 2 - 1, estimator="classifier"), [("p", "ranking", {"roc_auc", "average_precision"})]),
    "truth values": (made(P > 0.5, Y == 1), [("p", "binary", LABELS)]),
    "words": (made(["a", "b", "c"] * 5, ["a", "b", "b"] * 5), [("p", "multiclass", MANY)]),
    "codes of a booster": (made([0, 1, 2] * 5, [0.0, 1.0, 2.0] * 5, estimator="classifier"), [("p", "multiclass", MANY)]),
    "probabilities of classes": (
        made([[0.2, 0.5, 0.3]] * 9, ["x", "y", "z"] * 3, classes=("x", "y", "z")),
        [("p", "multiclass", MANY | MANY_CHANCES)],
    ),
    "probabilities beside marks": (
        made([[0.2, 0.5, 0.3]] * 9, [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] * 3),
        [("p", "multiclass", MANY | MANY_CHANCES)],
    ),
    "numbers": (made(P, P + 1, estimator="regressor"), [("p", "regression", NUMBERS)]),
    "whole numbers": (made(range(30), range(1, 31)), [("p", "regression", NUMBERS)]),
    "a regression on two values": (made(P, Y * 1.0, estimator="regressor"), [("p", "regression", NUMBERS)]),
    "two numbers": (
        made([[1.0, 2.0], [2.0, 5.0]] * 5, [{"low": 1.5, "high": 2.0}, {"low": 2.0, "high": 4.0}] * 5),
        [("low", "regression", NUMBERS), ("high", "regression", NUMBERS)],
    ),
    "an object": (
        made([{"n": 1.0, "w": "a"}, {"n": 2.0, "w": "b"}] * 5, [{"n": 1.5, "w": "b"}, {"n": 2.5, "w": "b"}] * 5),
        [("n", "regression", NUMBERS), ("w", "binary", LABELS)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TASKS)
def test_the_metrics_of_the_task(name: str) -> None:
    known, expected = TASKS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluation.evaluate(known, "p")
    assert [(o.name, o.task, {m.name for m in o.metrics}) for o in found.outputs] == expected
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert evaluation.from_json(document) == found
    assert outcomes.from_json(json.loads(json.dumps(known.to_json()))) == known
    assert str(len(known.predictions)) in words.text(found)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (Outcomes(reason="why not"), "why not"),
        (made(["x", "y"], [1.5, 2.5]), None),
        (made([[1.0, 2.0]], [3.0]), "no usual metric"),
        (made([None, None], [1.0, 2.0]), "no prediction"),
    ],
)
def test_no_metrics_but_a_reason(known: Outcomes, reason: str | None) -> None:
    found = evaluation.evaluate(known, "p")
    if reason is not None:
        assert found.outputs == ()
        assert reason in str(found.reason)
        assert reason in words.text(found)


def test_a_class_that_the_model_does_not_know_counts_as_wrong() -> None:
    known = made(["a", "b"] * 10, ["a", "new"] * 10, classes=("a", "b"), scores=((0.9, 0.1), (0.2, 0.8)) * 10)
    found = evaluation.evaluate(known, "p")
    accuracy = found.outputs[0].metric("accuracy")
    assert accuracy is not None
    assert accuracy.value == 0.5
    assert "10 rows are of a class that the model does not know" in found.notes[-1]


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ({"kind": "training", "trained": 400}, "All 400 rows"),
        ({"trained": 30}, "30 of the 400 rows"),
        ({"beside": 12}, "12 of the rows were given to a fit beside"),
        ({"missing": 3}, "3 rows have no value of the target"),
        ({"drawn": True}, "drawn at random"),
    ],
)
def test_what_the_rows_are_is_said(more: dict[str, Any], note: str) -> None:
    found = evaluation.evaluate(replace(TASKS["numbers"][0], **more), "p")
    assert any(note in item for item in found.notes)
    assert words.text(found).startswith("Training metrics" if more.get("kind") else "Metrics")


# intervals ------------------------------------------------------------------------------------------------------------


def test_a_share_has_the_exact_interval() -> None:
    found = share(7, 9)
    low, high = (stats.beta.ppf(0.025, 7, 3), stats.beta.ppf(0.975, 8, 2))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize("name", ["mae", "r2", "roc_auc", "f1", "accuracy"])
def test_intervals_hold_what_they_are_to_hold(name: str) -> None:
    """Of 100 samples of 150 rows the interval holds the value of 200,000 rows in about 95."""
    rng = np.random.default_rng(1)

    def draw(n: int) -> Sample:
        y = (rng.random(n) < 0.4).astype(int)
        score = 1 / (1 + np.exp(-(y + rng.normal(0, 1, n) - 0.5)))
        if name in ("mae", "r2"):
            x = rng.normal(0, 1, n)
            return Sample("p", "regression", x, x + rng.normal(0, 0.7, n), None, (), np.arange(n))
        scores = np.stack([1 - score, score], 1)
        return Sample("p", "binary", y, (score > 0.5).astype(int), scores, (0, 1), np.arange(n))

    real = BY_NAME[name].values(draw(200_000), np.ones((1, 200_000)))[0]
    held = 0
    for _ in range(100):
        (found,) = measured(draw(150), [BY_NAME[name]])
        assert found.low is not None
        assert found.high is not None
        held += found.low <= real <= found.high
    assert 87 <= held <= 100


def test_intervals_come_out_again() -> None:
    sample = samples(TASKS["a probability"][0], "p").outputs[0]
    wanted = [BY_NAME[name] for name in ("roc_auc", "brier")]
    assert measured(sample, wanted) == measured(sample, wanted)


def test_perfect_answers_have_no_interval_of_no_width() -> None:
    (found,) = measured(samples(made(P, P, estimator="regressor"), "p").outputs[0], [BY_NAME["mae"]])
    assert (found.value, found.low) == (0.0, None)
    assert "bounds nothing" in found.reason


# slices ---------------------------------------------------------------------------------------------------------------

ROWS = tuple(
    {
        "kind": "abc"[at % 3] if at % 10 else None,
        "flag": at % 2 == 0,
        "size": float(at),
        "when": f"2024-{1 + at % 12:02d}-{1 + at % 28:02d}T00:00:00",
        "text": f"its own {at}",
        "same": 1,
        "origin": f"O{at % 40}",
    }
    for at in range(400)
)


def test_slices_cover_each_field_once() -> None:
    found = slices.cut(ROWS)
    fields = {part.field for part in found}
    assert fields == {"kind", "flag", "size", "when", "same", "origin"}
    for field in fields:
        masks = np.array([part.rows for part in found if part.field == field])
        assert (masks.sum(axis=0) == 1).all(), field
    labels = {part.label for part in found if part.field == "kind"}
    assert labels == {"= a", "= b", "= c", "missing"}
    assert next(part.label for part in found if part.field == "size") == "from 0 to below 99"
    assert [part.label for part in found if part.field == "when"][-1].endswith("to 2024-12-28")
    assert [part.label for part in found if part.field == "origin"][-1] == "other values"


def noise(worse: float) -> Outcomes:
    rng = np.random.default_rng(2)
    truth = rng.normal(0, 1, 400)
    size = np.array([1.0 + worse * (row["kind"] == "b") for row in ROWS])
    return made(truth + size * rng.normal(0, 1, 400), truth, rows=ROWS, estimator="regressor")


def test_a_slice_that_is_worse_is_named_with_its_size() -> None:
    (output,) = evaluation.evaluate(noise(2.0), "p").outputs
    found = output.worst[0]
    assert (found.name, found.worse, found.rows) == ("kind = b", True, sum(row["kind"] == "b" for row in ROWS))
    assert output.worst_slice("mae") == found
    assert f"kind = b: {found.loss:.4g}" in words.text(evaluation.evaluate(noise(2.0), "p"))


def test_of_many_slices_that_differ_by_chance_none_is_said_to_be_worse() -> None:
    """In 100 draws without any difference at most a few times a slice is called worse: the level holds for all slices together."""
    false = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        truth = rng.normal(0, 1, 300)
        sample = Sample("p", "regression", truth, truth + rng.normal(0, 1, 300), None, (), np.arange(300))
        parts = [slices.SliceRows("f", str(k), rng.random(300) < 0.3) for k in range(12)]
        loss = np.abs(sample.truth - sample.answer)  # type: ignore[operator]
        chances = [slices._chance(loss[p.rows], loss[~p.rows]) for p in parts]
        false += min(slices._holm(chances)) < slices.SURE
    assert false <= 11


def test_a_small_slice_is_said_to_be_small_and_not_compared() -> None:
    rows = tuple({"kind": "rare" if at < 12 else "often"} for at in range(400))
    known = made([9.0] * 12 + [0.1] * 388, [0.0] * 400, rows=rows, estimator="regressor")
    (output,) = evaluation.evaluate(known, "p").outputs
    rare = next(s for s in output.slices if s.label == "= rare")
    assert (rare.small, rare.p, rare.rows) == (True, None, 12)
    assert rare not in output.worst
    assert output.worst_slice("mae") != rare


def test_a_slice_beside_which_few_rows_are_left_is_not_compared() -> None:
    rows = tuple({"kind": "rare" if at < 12 else "often"} for at in range(400))
    known = made([0.1] * 12 + [9.0] * 388, [0.0] * 400, rows=rows, estimator="regressor")
    (output,) = evaluation.evaluate(known, "p").outputs
    often = next(s for s in output.slices if s.label == "= often")
    assert (often.small, often.p) == (False, None)
    assert output.worst == ()


def test_a_slice_of_one_class_tells_which_metrics_it_lacks() -> None:
    rows = tuple({"kind": "one" if y else "other"} for y in Y)
    (output,) = evaluation.evaluate(replace(TASKS["a probability"][0], rows=rows), "p").outputs
    metric = output.slices[0].metric("roc_auc")
    assert metric is not None
    assert (metric.value, metric.reason) == (None, "the rows are of one class alone")
    assert output.worst_slice("roc_auc") is None


# calibration ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "of"), [("a probability", "positive"), ("numbers", "number"), ("probabilities of classes", "most probable")])  # fmt: skip
def test_calibration_groups_all_rows(name: str, of: str) -> None:
    sample = samples(TASKS[name][0], "p").outputs[0]
    found = calibration(sample)
    assert found is not None
    assert of in found.of
    assert sum(b.rows for b in found.bins) == len(sample)
    predicted = [b.predicted for b in found.bins]
    assert predicted == sorted(predicted)


def test_a_probability_that_is_true_is_calibrated() -> None:
    rng = np.random.default_rng(3)
    p = rng.random(5000)
    y = (rng.random(5000) < p) * 1.0
    found = calibration(samples(made(p, y), "p").outputs[0])
    assert found is not None
    assert found.error < 0.03
    assert sum((b.low or 0) <= b.predicted <= (b.high or 1) for b in found.bins) >= 8
