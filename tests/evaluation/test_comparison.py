"""Two releases, paired: on the rows that both evaluated, told apart only where the rows are enough for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nb2prod.evaluation.comparison import compare
from nb2prod.evaluation.outcomes import Outcomes

RNG = np.random.default_rng(4)
TRUTH = RNG.normal(0, 1, 300)
NOISE = RNG.normal(0, 1, 300)


def made(noise: Any, rows: range = range(300), **more: Any) -> Outcomes:
    at = list(rows)
    form: dict[str, Any] = {"predictions": tuple((TRUTH + noise)[at].tolist()), "truth": tuple(TRUTH[at].tolist())}
    keys = tuple(f"row {k}" for k in at)
    return Outcomes(predicted=len(at), keys=keys, row_ids=tuple(at), estimator="regressor", **{**form, **more})


def verdicts(first: Outcomes, second: Outcomes) -> dict[str, str]:
    return {item.name: item.verdict for item in compare(first, second, "p").metrics}


@pytest.mark.parametrize(
    ("second", "verdict"),
    [(0.8 * NOISE, "better"), (1.2 * NOISE, "worse"), (NOISE, "no difference"), (NOISE + RNG.normal(0, 0.02, 300), "too few rows to tell")],
)  # fmt: skip
def test_better_worse_or_too_few(second: Any, verdict: str) -> None:
    assert set(verdicts(made(NOISE), made(second)).values()) == {verdict}


def test_what_is_small_beside_the_noise_is_seen_since_rows_are_paired() -> None:
    """An improvement of 3 % of the error: unpaired, 300 rows could not tell it."""
    assert verdicts(made(NOISE), made(0.97 * NOISE))["rmse"] == "better"


def test_only_rows_that_both_know_are_compared() -> None:
    found = compare(made(NOISE, range(200)), made(0.8 * NOISE, range(150, 300)), "p")
    assert found.rows == 50
    first = next(item for item in found.metrics if item.name == "mae").first
    assert first == pytest.approx(np.abs(NOISE[150:200]).mean())


def test_few_rows_tell_nothing() -> None:
    assert set(verdicts(made(NOISE, range(20)), made(0.1 * NOISE, range(20))).values()) == {"too few rows to tell"}


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (made(NOISE, kind="training"), "only on rows that it had learned from"),
        (Outcomes(reason="why not"), "why not"),
        (made(NOISE, truth=tuple((TRUTH * 100).tolist())), "no row that both evaluated"),
        (replace(made(NOISE), keys=tuple(f"other {k}" for k in range(300))), "no row that both evaluated"),
        (made(NOISE, predictions=tuple("ab" * 150), truth=tuple("ab" * 150)), "no row that both evaluated"),
    ],
)
def test_why_there_is_nothing_to_compare(first: Outcomes, reason: str) -> None:
    found = compare(first, made(NOISE), "p")
    assert found.metrics == ()
    assert reason in str(found.reason)


def test_of_two_releases_alike_few_are_said_to_differ() -> None:
    """In 100 pairs that are equally good in truth, about 5 in 100 are said to differ."""
    rng = np.random.default_rng(6)
    said = sum(
        verdicts(made(rng.normal(0, 1, 300)), made(rng.normal(0, 1, 300)))["mae"] in ("better", "worse")
        for _ in range(100)
    )
    assert said <= 12
