"""A canary: left alone while it is like the stable release, withdrawn soon where it is not, and asked for long enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod.evidence.canary import CanaryEvidence, Counts, requests_needed
from nb2prod.evidence.events import EventEvidence

KINDS, BINS = ("errors", "late"), ("yes", "no")


def looked_at(rng, rates, shares, looks=60, rows=200, share=0.1):
    """A rollout: rates of errors and shares of "yes", of (stable, canary); whether there was harm, and after how many requests of the canary."""
    evidence = CanaryEvidence(KINDS, BINS)
    for _ in range(looks):
        mine = int(rng.binomial(rows, share))
        arms = (rows - mine, mine)
        failed, yes = ([int(rng.binomial(n, p)) for n, p in zip(arms, part, strict=True)] for part in (rates, shares))
        late = int(rng.binomial(rows, 0.05))
        events = {"errors": (failed[1], sum(failed)), "late": (int(rng.binomial(late, share)), late)}
        bins = {"yes": (yes[1], sum(yes)), "no": (mine - yes[1], rows - sum(yes))}
        if evidence.add(share, Counts(mine, rows, events, bins)):
            break
    return evidence


def test_one_that_is_like_the_stable_release_is_left_alone():
    rng = np.random.default_rng(1)
    assert not any(looked_at(rng, (0.02, 0.02), (0.3, 0.3)).harmful for _ in range(60))


@pytest.mark.parametrize(
    ("rates", "shares", "why", "soon"),
    [((0.01, 0.5), (0.3, 0.3), "errors", 40), ((0.01, 0.1), (0.3, 0.3), "errors", 200), ((0.01, 0.01), (0.3, 0.6), "yes", 250)],
)  # fmt: skip
def test_one_that_fails_or_answers_otherwise_is_withdrawn_soon(rates, shares, why, soon):
    """In looks of 20 requests of the canary; one that answers otherwise does it without an error."""
    rng = np.random.default_rng(2)
    found = [looked_at(rng, rates, shares) for _ in range(20)]
    assert all(item.harmful for item in found)
    assert np.median([item.canary for item in found]) <= soon
    assert {item.leading for item in found} <= ({why} if why == "errors" else {"yes", "no"})


def test_harm_that_was_seen_is_not_forgotten():
    evidence = CanaryEvidence(["errors"])
    assert evidence.add(0.01, Counts(6, 8, {"errors": (5, 5)}))
    assert evidence.add(0.01, Counts(0, 10_000, {"errors": (0, 5_000)}))
    assert evidence.evidence < 0


def test_both_failing_alike_is_no_harm_of_the_canary():
    assert not CanaryEvidence(KINDS).add(0.1, Counts(100, 1000, {"errors": (100, 1000)}))


def test_how_many_requests_it_takes_is_enough_for_the_chance_that_is_said():
    """Canaries whose errors rise by what has to be seen: 95 of 100 are withdrawn within the requests needed."""
    rng = np.random.default_rng(3)
    needed = requests_needed(0.1, 0.01, weight=CanaryEvidence(KINDS).weights[0])
    found = []
    for _ in range(100):
        evidence = CanaryEvidence(KINDS)
        while evidence.canary < needed and not evidence.harmful:
            mine = min(int(rng.binomial(100, 0.1)), needed - evidence.canary)
            failed = int(rng.binomial(mine, 0.06))
            evidence.add(0.1, Counts(mine, 100, {"errors": (failed, failed + int(rng.binomial(90, 0.01)))}))
        found.append(evidence.harmful)
    assert sum(found) >= 88  # below that with a chance of less than 1 in 200


def test_it_takes_more_where_more_goes_wrong_anyway_and_something_always():
    assert 0 < requests_needed(0.1, 0.0) < requests_needed(0.1, 0.01) < requests_needed(0.1, 0.1)
    assert requests_needed(0.1, 0.01) <= requests_needed(0.1, 0.01, weight=0.01)
    assert requests_needed(0.5, 1.0) == 20_000  # a rise that can't be


@pytest.mark.parametrize("numbers", [(0.0, 0.1), (1.0, 0.1), (0.1, -0.1), (0.1, 1.1)])
def test_numbers_that_can_not_be_are_refused(numbers):
    with pytest.raises(ValueError, match="a share of"):
        requests_needed(*numbers)
    with pytest.raises(ValueError, match="errors at least"):
        CanaryEvidence([])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), max_size=60), st.floats(0.01, 0.9), st.booleans(), st.integers(0, 60))
def test_events_one_by_one_are_events_together(arms, share, both, cut):
    mine = np.asarray(arms, dtype=bool)
    one, other = EventEvidence(both=both), EventEvidence(both=both)
    course = np.concatenate([one.add_each(share, mine[:cut]), one.add_each(share, mine[cut:])])
    other.add(share, int(mine.sum()), len(mine))
    assert len(course) == len(mine)
    assert one.evidence == pytest.approx(other.evidence, abs=1e-9)
    assert not len(course) or course[-1] == pytest.approx(one.evidence, abs=1e-9)


@pytest.mark.parametrize(("kinds", "bins"), [(1, 0), (4, 0), (1, 10), (4, 10)])
def test_the_weights_of_all_questions_sum_to_one(kinds, bins):
    weights = CanaryEvidence([str(at) for at in range(kinds)], [f"b{at}" for at in range(bins)]).weights
    assert (len(weights), weights.sum()) == (kinds + bins, pytest.approx(1.0))
