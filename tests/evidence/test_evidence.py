"""Simulations: how often each test is wrong where nothing changed, and how soon it is right where something did."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod.evidence.counts import CountEvidence, bins_for, rows_needed
from nb2prod.evidence.events import EventEvidence
from nb2prod.evidence.families import needed, rejected, upper_bound
from nb2prod.evidence.means import MeanEvidence, MeanSequence
from nb2prod.evidence.sizes import total_variation
from nb2prod.path.trial.days import concentration


def shifted(shares, size):
    """The shares with `size` of them moved from the last half to the first."""
    half = len(shares) // 2
    moved = shares.copy()
    moved[:half] *= 1 + size / shares[:half].sum()
    moved[half:] *= 1 - size / shares[half:].sum()
    return moved


@dataclass(frozen=True)
class Null:
    reference: int
    bins: int
    rows: int
    alpha: float = 0.05


@pytest.mark.parametrize("case", [Null(200, 10, 200), Null(100, 5, 1000), Null(5000, 20, 50), Null(400, 2, 100)])
def test_counts_that_stay_the_same_raise_no_alarm_with_the_stated_chance(case):
    """60 runs of 60 looks: with a true error of 5 %, eight or more alarms have a chance below 1 in 60."""
    rng = np.random.default_rng(11)
    alarms = 0
    for _ in range(60):
        shares = rng.dirichlet(np.ones(case.bins) * 2)
        evidence = CountEvidence(rng.multinomial(case.reference, shares))
        top = max(evidence.add(rng.multinomial(case.rows, shares)) for _ in range(60))
        alarms += top >= math.log(1 / case.alpha)
    assert alarms < 8


def test_a_reference_that_is_taken_for_the_truth_would_raise_alarms():
    """The same null, with a reference of 500 rows called one of a million: what the finite reference is for."""
    rng = np.random.default_rng(12)
    alarms = 0
    for _ in range(20):
        shares = np.full(10, 0.1)
        counts = rng.multinomial(500, shares)
        evidence = CountEvidence(counts * 2000.0)
        alarms += max(evidence.add(rng.multinomial(200, shares)) for _ in range(100)) >= math.log(20)
    assert alarms >= 10


@pytest.mark.parametrize(("size", "most"), [(0.25, 2), (0.1, 15)])
@pytest.mark.parametrize("before", [0, 60])
def test_a_shift_is_found_within_days_wherever_it_begins(size, most, before):
    rng = np.random.default_rng(13)
    shares = np.full(10, 0.1)
    found, begins = [], []
    for _ in range(15):
        evidence = CountEvidence(rng.multinomial(5000, shares))
        for _ in range(before):
            evidence.add(rng.multinomial(200, shares))
        days = 0
        while evidence.evidence < needed(40, 0.01):
            days += 1
            evidence.add(rng.multinomial(200, shifted(shares, size)))
        found.append(days)
        begins.append(evidence.likeliest)
    assert np.median(found) <= most
    assert abs(np.median(begins) - (before + 1)) <= 2


def test_days_that_wobble_as_the_reference_did_raise_no_alarm():
    rng = np.random.default_rng(14)
    plain, allowed = 0, 0
    for _ in range(10):
        shares = rng.dirichlet(np.ones(8) * 5)
        draw = lambda: rng.multinomial(300, rng.dirichlet(shares * 100))  # noqa: E731, B023
        days = np.array([draw() for _ in range(60)])
        wobble = concentration(days)
        assert wobble is not None
        assert 50 < wobble < 200
        strict, fair = CountEvidence(days.sum(axis=0)), CountEvidence(days.sum(axis=0), wobble=wobble, days=60)
        later = [draw() for _ in range(60)]
        plain += max(map(strict.add, later)) >= math.log(20)
        allowed += max(map(fair.add, later)) >= math.log(20)
    assert plain == 10
    assert allowed <= 1
    assert concentration(np.array([rng.multinomial(300, shares) for _ in range(60)])) is None


def test_a_shift_among_wobbling_days_is_found_all_the_same():
    rng = np.random.default_rng(15)
    shares = np.full(8, 0.125)
    days = np.array([rng.multinomial(300, rng.dirichlet(shares * 100)) for _ in range(60)])
    evidence = CountEvidence(days.sum(axis=0), wobble=concentration(days), days=60)
    other = shifted(shares, 0.3)
    top = [evidence.add(rng.multinomial(300, rng.dirichlet(other * 100))) for _ in range(10)]
    assert max(top) > needed(40, 0.01)


def test_a_day_without_rows_changes_nothing():
    evidence = CountEvidence(np.array([50.0, 50.0]))
    evidence.add(np.array([20.0, 22.0]))
    before = evidence.evidence
    assert evidence.add(np.zeros(2)) == before
    assert evidence.likeliest == 1


def test_thousands_of_days_stay_cheap():
    """Beginnings that are hopeless are stopped, so that their number is bounded."""
    rng = np.random.default_rng(16)
    evidence = CountEvidence(rng.multinomial(5000, np.full(4, 0.25)))
    for _ in range(1000):
        evidence.add(rng.multinomial(200, np.full(4, 0.25)))
    assert len(evidence._starts.values) <= 60
    assert evidence.evidence < math.log(20)


@given(
    counts=st.lists(st.lists(st.integers(0, 500), min_size=3, max_size=3), min_size=1, max_size=8),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=50, deadline=None)
def test_evidence_is_a_number_and_names_of_bins_do_not_matter(counts, order):
    reference = np.array([40.0, 30.0, 0.0])
    places = [0, 1, 2]
    order.shuffle(places)
    one, other = CountEvidence(reference), CountEvidence(reference[places])
    for day in counts:
        seen = np.array(day, dtype="float64")
        assert one.add(seen) == pytest.approx(other.add(seen[places]))
    assert math.isfinite(one.evidence)


def test_bins_and_rows_of_a_reference():
    assert [bins_for(rows) for rows in (30, 40, 100, 1000)] == [1, 2, 5, 20]
    assert rows_needed() == 40


@pytest.mark.parametrize(("size", "rows"), [(0.0, 300), (0.1, 3000), (0.3, 200)])
def test_the_interval_of_a_size_holds(size, rows):
    """95 % of 100 intervals, less than three standard deviations below."""
    rng = np.random.default_rng(17)
    shares = np.full(10, 0.1)
    held, below = 0, 0
    for _ in range(100):
        found = total_variation(rng.multinomial(5000, shares), rng.multinomial(rows, shifted(shares, size)))
        held += found.low <= size <= found.high
        below += found.low <= size
        assert 0 <= found.low <= found.value <= found.high <= 1
    assert held >= 89
    assert below >= 93


def test_too_few_rows_have_no_size():
    found = total_variation(np.array([10, 10]), np.array([1, 0]))
    assert (found.low, found.high) == (0.0, 1.0)


# two arms -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_an_arm_like_the_other_is_not_blamed(share):
    rng = np.random.default_rng(18)
    blamed = 0
    for _ in range(60):
        evidence = EventEvidence()
        top = max(evidence.add(share, int(rng.binomial(50, share)), 50) for _ in range(60))
        blamed += top >= math.log(20)
    assert blamed < 8


def test_an_arm_that_fails_half_of_its_requests_is_found_within_twenty():
    rng = np.random.default_rng(19)
    met = []
    for _ in range(40):
        evidence, requests = EventEvidence(), 0
        while evidence.evidence < math.log(1000):
            for_arm = rng.random() < 0.05
            requests += for_arm
            if rng.random() < (0.5 if for_arm else 0.01):
                evidence.add(0.05, int(for_arm), 1)
        met.append(requests)
    assert np.median(met) <= 8
    assert np.quantile(met, 0.95) <= 20


def test_both_directions_count_where_asked():
    one, both = EventEvidence(), EventEvidence(both=True)
    for evidence in (one, both):
        evidence.add(0.5, 10, 200)
    assert both.evidence > math.log(1000) > one.evidence
    with pytest.raises(ValueError, match="of 3 events"):
        one.add(0.5, 4, 3)


# means ----------------------------------------------------------------------------------------------------------------


def test_a_mean_at_what_was_stated_raises_no_alarm_and_one_above_does():
    rng = np.random.default_rng(20)
    alarms, days = 0, []
    for _ in range(40):
        evidence = MeanEvidence(0.2)
        alarms += max(evidence.add(rng.binomial(1, 0.2, 100)) for _ in range(50)) >= math.log(20)
        day = 0
        while evidence.evidence < math.log(100):
            day += 1
            evidence.add(rng.binomial(1, 0.35, 100))
        days.append(day)
    assert alarms < 6
    assert np.median(days) <= 5
    with pytest.raises(ValueError, match="can't be exceeded"):
        MeanEvidence(1.0)


def test_an_interval_that_is_looked_at_all_the_time_holds_all_the_time():
    """60 runs of 40 looks: with a true error of 5 %, eight or more misses have a chance below 1 in 60."""
    rng = np.random.default_rng(21)
    missed = 0
    for _ in range(60):
        sequence, out = MeanSequence(0.05), False
        for _ in range(40):
            low, high = sequence.add(rng.beta(1, 4, 25))
            out |= not low <= 0.2 <= high
        missed += out
    assert missed < 8
    assert high - low < 0.12
    assert sequence.count == 1000


def test_an_interval_in_parts_is_the_one_of_all_at_once():
    values = np.random.default_rng(22).random(100)
    whole, parts = MeanSequence(), MeanSequence()
    for at in range(100):
        parts.add(values[at : at + 1])
    low, high = whole.add(values)
    # Between two looks the parts have intersected more intervals.
    assert parts.interval[0] >= low - 1e-12
    assert parts.interval[1] <= high + 1e-12


# families -------------------------------------------------------------------------------------------------------------


def test_e_bh_rejects_the_largest_together():
    strong, weak = math.log(5000), math.log(60)
    assert rejected([0.0, strong, 0.0], 0.01) == [False, True, False]
    assert rejected([weak, weak, weak, -3.0], 0.05) == [True, True, True, False]
    assert rejected([weak, -3.0, -3.0, -3.0], 0.05) == [False, False, False, False]
    assert rejected([], 0.05) == []


def test_no_difference_among_ten_thousand_rows_is_below_three_in_ten_thousand():
    assert upper_bound(0, 10_000) == pytest.approx(2.995e-4, rel=1e-3)
    assert upper_bound(0, 0) == upper_bound(5, 5) == 1.0
    assert 0.1 < upper_bound(10, 100) < 0.2
