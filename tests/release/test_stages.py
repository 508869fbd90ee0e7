"""The rule of a staged rollout, without a process: what ends a stage, what ends the rollout, and what never does."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2prod.durations import parse_duration
from nb2prod.errors import InputError
from nb2prod.release.running import answers
from nb2prod.release.stages import state
from nb2prod.release.stages.plan import Plan, parse_stages
from nb2prod.release.stages.standing import standing
from nb2prod.release.stages.state import Rates, Shadow, StagedRollout, Standing, Tally, counted, decided
from nb2prod.rollouts.questions import PredictionBins, tallies

PLAN = Plan(parse_stages("shadow,1,10,100"), hold=60.0, deadline=3600.0)
ENOUGH = Standing(requests=500, wanted=400)


def rollout(**changes):
    made = StagedRollout("flights", "bb22", "aa11", PLAN, 0.0, 0.0, stage=1, tallies=(Tally(100, 5, 500),))
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("text", "stages"),
    [("shadow,1,10,50,100", (0, 100, 1000, 5000, 10_000)), ("0.5 , 100", (50, 10_000)), ("shadow,100%", (0, 10_000))],
)
def test_stages_are_percentages_that_rise_to_all(text, stages):
    assert parse_stages(text) == stages


@pytest.mark.parametrize(
    "text",
    ["", "100", "1,10", "10,1,100", "1,shadow,100", "0,100", "1,101", "x", "nan,100", "1,1,100", "inf", "shadow"],
)
def test_other_stages_are_refused(text):
    with pytest.raises(InputError, match="--stages"):
        parse_stages(text)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("1d", 86_400)])
def test_durations(text, seconds):
    assert parse_duration(text, "--hold") == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-1m", "1w"])
def test_what_is_no_duration_is_refused_by_name(text):
    with pytest.raises(InputError, match="--hold"):
        parse_duration(text, "--hold")


SHADOWED = Shadow(500, 0, 40, "40 of 500 rows are answered otherwise")


@pytest.mark.parametrize(
    ("known", "numbers", "now", "fault", "what", "reason"),
    [
        ({}, ENOUGH, 61, "", "advanced", "no harm in 500 requests"),
        ({}, ENOUGH, 59, "", None, "the hold: 1 s"),
        ({}, Standing(requests=5, wanted=400), 61, "", None, "has answered 5, and harm would be seen after 400"),
        ({}, Standing(requests=5, wanted=400), 3601, "", "given up", "was not over in time"),
        ({"tallies": ()}, Standing(), 3000, "", None, "asked none yet"),
        ({"tallies": ()}, Standing(), 3601, "", "given up", "asked none yet"),
        ({}, Standing(requests=9, wanted=None), 61, "", None, "that the stable release answers"),
        ({}, Standing(5000, harmful=True, leading="nulls", rates={"nulls": Rates(0.5, 0.01)}), 1, "", "withdrawn", "harm by nulls, in this stage 50.00% against 1.00%"),
        ({"paused": 5.0}, Standing(5000, harmful=True, leading="errors"), 1, "", "withdrawn", "harm by errors"),
        ({"paused": 5.0}, ENOUGH, 9999, "", None, ""),
        ({}, ENOUGH, 61, "its server is dead", "withdrawn", "its server is dead"),
        ({}, replace(ENOUGH, rates={"errors": Rates(0.6, 0.6)}), 61, "", None, "half of its requests"),
        ({"stage": 0}, Standing(), 0, "", None, "logged requests"),
        ({"stage": 0}, Standing(), 3601, "", "given up", "logged requests"),
        ({"stage": 0, "shadow": SHADOWED}, Standing(), 0, "", "advanced", "answered otherwise"),
        ({"stage": 0, "shadow": Shadow(20, 0, 0, "")}, Standing(), 0, "", None, "20 rows can't tell"),
        ({"stage": 0, "shadow": Shadow(500, 60, 0, "")}, Standing(), 0, "", "withdrawn", "60 of 500 logged rows without an answer"),
        ({"stage": 0, "shadow": SHADOWED, "plan": replace(PLAN, max_changed=0.05)}, Standing(), 0, "", "withdrawn", "at most 5.00%"),
        ({"stage": 0, "shadow": SHADOWED, "plan": replace(PLAN, max_changed=0.09)}, Standing(), 0, "", None, "can't tell"),
        ({"stage": 3}, Standing(5000, harmful=True), 9999, "gone", None, ""),
    ],
)  # fmt: skip
def test_what_follows_from_the_numbers(known, numbers, now, fault, what, reason):
    after, decision = decided(rollout(**known), numbers, now, fault)
    assert (decision and decision.what) == what
    assert reason in (decision.reason if decision else after.awaited)
    assert after.outcome == (None if what in (None, "advanced") else what)
    assert msgspec.json.decode(msgspec.json.encode(after), type=StagedRollout) == after


def test_a_pause_does_not_count_and_a_hand_advances_without_numbers():
    held, decision = state.paused(rollout(), 100.0, "Ada", "a look")
    assert (decision.what, decision.who, decision.reason) == ("paused", "Ada", "a look")
    going, _ = state.resumed(held, 5000.0, "Ada", "")
    assert decided(going, Standing(requests=1, wanted=400), 5001.0)[1] is None
    there, decision = state.advanced_by_hand(going, 5001.0, "Ada", "")
    assert (there.stage, there.since, decision.stage, decision.who) == (2, 5001.0, "1 % to 10 %", "Ada")
    last, _ = state.advanced_by_hand(there, 5002.0, "Ada", "")
    assert last.last
    assert state.aborted(last, "Ada", "")[1] is None
    done, decision = state.promoted(last)
    assert (done.outcome, done.share, decision.what) == ("promoted", 0, "promoted")
    assert state.aborted(done, "Ada", "") == (done, None)


numbers = st.builds(
    Standing,
    evidence=st.floats(0, 1e6),
    harmful=st.booleans(),
    leading=st.sampled_from(["errors", "a bin"]),
    requests=st.integers(0, 1000),
    wanted=st.none() | st.integers(1, 1000),
    rates=st.dictionaries(st.sampled_from(["errors", "late"]), st.builds(Rates, st.floats(0, 1), st.floats(0, 1))),
)
steps = st.lists(
    st.tuples(st.sampled_from(["look", "pause", "resume", "count"]), numbers, st.integers(0, 2000), st.booleans()),
    max_size=15,
)


@settings(max_examples=80, deadline=None)
@given(steps)
def test_no_stage_is_over_without_the_requests_that_harm_needs_to_be_seen(course):
    """Whatever comes in whatever order: shares only rise, an outcome is for good, nothing without numbers leads on."""
    known, now, fresh = rollout(tallies=()), 0.0, 0
    for what, found, passed, bad in course:
        now += passed
        before = known
        if what == "count":
            known = counted(known, [Tally(known.plan.stages[known.stage], 5, 50)], "x")
        elif what == "look":
            known, _ = decided(known, found, now, "dead" if bad else "")
        else:
            known, _ = (state.paused if what == "pause" else state.resumed)(known, now, "Ada", "")
        if known.stage != before.stage:
            fresh += 1
            assert before.paused is None
            assert found.enough
            assert not found.harmful
            assert not bad
            assert before.here.canary > 0
            assert now - before.since >= PLAN.hold
            assert known.share > before.share
        assert known.outcome != "promoted"
        if before.outcome is not None:
            assert known == before
    assert fresh <= 2


def test_evidence_is_gathered_over_stages_and_what_both_do_alike_is_no_harm():
    alike = [Tally(100, 50, 5000, {"errors": (25, 2500)}), Tally(1000, 500, 5000, {"errors": (250, 2500)})]
    found = standing(counted(rollout(stage=2), alike, ""))
    assert not found.harmful
    assert found.failing  # as bad as the stable release is still no reason to promote
    worse = counted(
        rollout(stage=2), [Tally(100, 50, 5000, {"errors": (4, 10)}), Tally(1000, 20, 200, {"errors": (6, 8)})], ""
    )
    assert standing(worse).harmful
    assert standing(worse).leading == "errors"


def test_a_shift_of_the_predictions_beyond_what_is_allowed_is_harm():
    def evidence(factor, shift):
        plan = replace(PLAN, bins=("yes", "no"), allowed_shift=factor)
        yes = (int(500 * shift), int(500 * shift) + 1350)
        tally = Tally(1000, 500, 5000, {}, {"yes": yes, "no": (500 - yes[0], 5000 - yes[1])})
        return standing(counted(rollout(stage=2, plan=plan), [tally], ""))

    assert not evidence(1.25, 0.3).harmful
    assert evidence(1.25, 0.6).harmful
    assert evidence(1.0, 0.45).harmful
    assert not evidence(2.0, 0.45).harmful


def line(at, draw, status=200, *, key="-", milliseconds=3, retries="0", end="----", answer="-", share=1000):
    import base64
    import json

    told = base64.b64encode(json.dumps(answer).encode()).decode() if isinstance(answer, dict) else answer
    return f"7:{at} r1 {share} {draw} {key} {status} {milliseconds} 5 {retries} {end} {told}"


ANSWER = {"predictions": [0.25, None], "errors": []}


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (line(1, 999, answer=ANSWER), {"canary": True, "is_error": False, "prediction": 0.25, "is_null": False}),
        (line(1, 1000, answer=ANSWER), {"canary": False}),
        (line(1, 5, 503), {"is_error": True, "answered": False}),
        (line(1, 5, 422), {"is_error": False, "is_refusal": True}),
        (line(1, 5, retries="+1", answer=ANSWER), {"is_error": True}),
        (line(1, 5, -1, end="CH--", milliseconds=-1), {"is_error": False, "seconds": 0.005}),
        (line(1, 5, answer={"predictions": [None]}), {"is_null": True}),
        (line(1, 5, answer={"predictions": []}), {"is_null": False, "answered": False}),
        (line(1, 5, answer={"predictions": [1], "fallbacks": [{"row": 0}]}), {"by_rule": True}),
        (line(1, 5, answer="eyJwcmVkaWN0aW9ucyI6IFtbMC4xLCAwLjldLCBbMC4y"), {"prediction": [0.1, 0.9]}),  # cut off
        (line(1, 5, answer="eyJwcmVkaWN0aW9ucyI6IFsxMjM="), {"answered": False}),  # perhaps 123, perhaps 1234
    ],
)
def test_what_haproxy_tells_of_an_answer(text, facts):
    found = answers.read(text)
    assert {name: getattr(found, name) for name in facts} == facts


@pytest.mark.parametrize("text", ["", "a b c", line("x", "y"), "<133>something else entirely"])
def test_another_line_is_none(text):
    assert answers.read(text) is None


def test_only_what_came_after_is_read():
    lines = [line(at, 5) for at in (3, 1, 2)]
    assert answers.after(lines, "7:1") == lines[2:]
    assert answers.after(lines, "7:2") == []
    assert answers.after(lines, "6:9") == lines  # HAProxy was started anew


def test_a_caller_with_a_key_counts_once():
    """All its requests go to the same version: the second of them is no draw."""
    some = [answers.read(line(at, 5, 500, key=8)) for at in range(50)] + [
        answers.read(line(60, 5, 500)),
        answers.read(line(61, 2000)),
    ]
    found, callers = tallies(some, PredictionBins(()), 1.0)
    assert callers == [8]
    assert (found[0].share, found[0].canary, found[0].all, found[0].events) == (1000, 2, 3, {"errors": (2, 2)})
    assert tallies(some[:50], PredictionBins(()), 1.0, known={8}) == ([], [])
