"""Rows drawn from the signature: right services pass, a wrong one is caught by the smallest request that shows it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from nb2prod.parity import drawn
from nb2prod.parity.bench import Bench, Limits
from nb2prod.parity.client import Client
from nb2prod.parity.faults import ServiceFault
from nb2prod.parity.service import Answer, Service
from nb2prod.runtime.equality import Tolerance
from nb2prod.runtime.signature import Signature


def ask(small, behaviour, inside=None, seed=0, drawn_requests=100):
    signature = Signature.from_json(small.signature)
    limits = Limits(drawn=drawn_requests)
    bench = Bench(small.make_cases(50), signature, tolerance=Tolerance(), seed=seed, limits=limits)
    predict = inside or (lambda rows: [Answer("value", small.predict(row)) for row in rows])
    with small.serving(behaviour) as url:
        client = Client(url)
        try:
            drawn.ask(bench, Service(client), SimpleNamespace(predict=predict))
        finally:
            client.close()
    return bench.tallies["wire"]


def answering(small, change):
    return small.Behaviour(predict=lambda rows: ([change(small.predict(row), row, rows) for row in rows], []))


def test_a_right_service_passes_and_nothing_is_left_in_the_folder(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tally = ask(small, small.Behaviour())
    assert tally.differences == 0
    assert tally.rows >= 100
    assert list(Path(tmp_path).iterdir()) == []


def test_a_counterexample_is_made_small(small):
    wrong = answering(small, lambda answer, row, _: answer + 1 if row["fare"] > 1000 else answer)
    tally = ask(small, wrong)
    assert tally.differences == 1
    (mismatch,) = tally.kept
    # One row, at the very edge of what is wrong.
    assert 1000 < mismatch.request["fare"] < 1002
    assert mismatch.reason.startswith("differs by 1")
    assert mismatch.difference == pytest.approx(1)


def test_an_answer_that_depends_on_neighbours_is_found(small):
    wrong = answering(small, lambda answer, _, rows: answer + (len(rows) > 1))
    everything = [Answer("value", None)]

    def same_as_the_service(rows):
        return [Answer("value", small.predict(row) + (len(rows) > 1)) for row in rows] or everything

    tally = ask(small, wrong, same_as_the_service)
    assert tally.differences == 1
    assert tally.kept[0].case == "a drawn row, alone and among others"
    assert len(tally.kept[0].request["rows"]) == 2


def test_the_same_seed_draws_the_same(small):
    asked = []

    def note(rows):
        asked.append(repr(rows))
        return [Answer("value", small.predict(row)) for row in rows]

    ask(small, small.Behaviour(), note, seed=3, drawn_requests=20)
    first = list(asked)
    asked.clear()
    ask(small, small.Behaviour(), note, seed=3, drawn_requests=20)
    assert asked == first
    asked.clear()
    ask(small, small.Behaviour(), note, seed=4, drawn_requests=20)
    assert asked != first


def test_a_service_that_dies_is_told_and_not_asked_again(small):
    asked = []

    def dead(rows):
        asked.append(rows)
        raise ServiceFault("the process died")

    with pytest.raises(ServiceFault, match="died"):
        ask(small, small.Behaviour(), dead)
    assert len(asked) == 1
