"""When a model is due to be trained again, and what forbids it for now."""

import datetime as dt

import pytest

from nb2prod.release import alarms, attempts
from nb2prod.retraining import due
from nb2prod.triggers import terms
from nb2prod.watching import subject
from nb2prod.watching.label_store import LabelStore, Match
from tests.watching import served

NOW = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)


def seen(rng, **changed):
    served.release(served.table(4000, rng))
    served.log(served.table(3000, rng, **changed))
    return due.see(subject.find(served.NAME))


def found(look, *when, now=NOW, **stated):
    return due.find(look, terms({"when": list(when), **stated}), now)


def test_nothing_is_due_where_nothing_has_changed(rng):
    look = seen(rng)
    told = found(look, "drifted", "age > 90d", "loss > 0.2", "new_labels >= 10")
    assert not told.now
    assert "built 78.0 days ago" in told.sentence
    assert "there are no labels yet" in told.sentence
    assert found(look).sentence == "not due: no reason is stated (retrain.when)"


def test_drift_and_age_are_reasons(rng):
    look = seen(rng, older=12)
    assert found(look, "drifted").why.startswith("drifted (age")
    assert found(look, "age > 30d", "drifted").why.startswith("age > 30d (built 78.0 days ago); drifted")


def test_labels_are_reasons(rng):
    seen(rng)
    store = LabelStore(served.NAME)
    keys = [(f"request{at}", 0) for at in range(40)]
    store.add((key, 0) for key in keys)
    store.match([Match(key, served.MODEL, dt.date(2026, 3, 2), 1) for key in keys])
    look = due.see(subject.find(served.NAME))
    assert found(look, "new_labels >= 40").why == "new_labels >= 40 (40 rows have a label)"
    assert not found(look, "new_labels >= 41").now
    assert "share of wrong answers 1 of 40 rows" in found(look, "loss > 0.5").why


def attempted(state, *, detail="", by_hand=False, champion=served.MODEL):
    return attempts.end(attempts.begin(served.NAME, champion, "drifted", by_hand=by_hand), state, detail)


def test_after_an_attempt_it_waits_for_the_cooldown(rng):
    look = seen(rng, older=12)
    ended = dt.datetime.fromisoformat(attempted("dismissed").ended)
    told = found(look, "drifted", cooldown="2h", now=ended + dt.timedelta(hours=1))
    assert not told.now
    assert "cooldown" in told.sentence
    assert found(look, "drifted", cooldown="2h", now=ended + dt.timedelta(hours=3)).now


def test_what_is_proposed_waits_for_its_owner_alone(rng):
    look = seen(rng, older=12)
    attempt = attempts.begin(served.NAME, served.MODEL, "drifted", by_hand=False)
    attempts.add_step(attempt, "build", "built", {}, "bb22")
    attempts.end(attempt, "proposed", "better")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=60)
    assert "visits:bb22 is proposed" in found(look, "drifted", now=later).waits
    assert attempts.dismiss(served.NAME, "not yet").state == "dismissed"
    assert found(look, "drifted", now=later).now


@pytest.mark.parametrize("state", attempts.FRUITLESS)
def test_attempts_that_lead_to_nothing_end_until_somebody_looks(rng, state):
    look = seen(rng, older=12)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=60)
    attempted("failed", champion="visits:0000")  # of another champion: it does not count
    for _ in range(2):
        attempted(state, detail="no such file")
        assert found(look, "drifted", max_attempts=3, now=later).now
    attempted(state, detail="no such file")
    told = found(look, "drifted", max_attempts=3, now=later)
    assert "3 attempts in a row led to nothing, the last because no such file" in told.waits
    attempted(state, by_hand=True)
    assert found(look, "drifted", max_attempts=3, now=later).now


def test_broken_data_are_no_reason_to_learn_from_them_until_somebody_says_so(rng):
    look = seen(rng, lost=0.5)
    assert look.broken == ("town: missing",)
    alarms.acknowledge(served.NAME, "towns are optional now")
    assert due.see(subject.find(served.NAME)).broken == ()
