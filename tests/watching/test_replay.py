"""Logged rows asked again: the same service answers the same, an altered one is found from its log alone."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json

import numpy as np
import pytest

from nb2prod.bento import package
from nb2prod.errors import InputError
from nb2prod.parity.inprocess import Worker
from nb2prod.runtime import request_log
from nb2prod.runtime.app import App
from nb2prod.runtime.signature import Signature
from nb2prod.watching import replay as replaying
from nb2prod.watching.labelling import judged
from nb2prod.watching.left_out import left_out
from nb2prod.watching.logged_rows import sample
from nb2prod.watching.look import look
from nb2prod.watching.replay import Wish, replay
from nb2prod.watching.subject import Subject
from nb2prod.watching.verdict import Thresholds
from tests.runtime import projects
from tests.runtime.asgi import JSON, ask
from tests.runtime.test_app import fresh_metrics
from tests.runtime.test_served import serving

LINES = Wish("own lines")
MODEL = "houses:v1"


def rows(count=60):
    rng = np.random.default_rng(3)
    return [
        projects.row(
            Age=None if at % 5 == 0 else float(rng.integers(18, 80)),
            Sex=("male", "female")[at % 2],
            Fare=-0.5 if at == 7 else float(rng.random() * 60),
        )
        for at in range(count)
    ]


@pytest.fixture
def answered(tmp_path, monkeypatch):
    """`answered(**changes)` serves an altered project, asks it, and returns the log's folder."""
    monkeypatch.setattr(request_log, "_LOOK", 0.02)
    monkeypatch.setattr(request_log, "_FLUSH_SECONDS", 0.05)

    def run(name, asked=None, *, options=None, **changes):
        data = tmp_path / f"data-{name}"
        monkeypatch.setenv("NB2PROD_DATA", str(data))
        options = {"request_log": 1.0, **(options or {})}
        app = App(projects.write(tmp_path / name, options=options, **changes), version="v1", metrics=fresh_metrics)
        app.load()

        async def story():
            task = asyncio.create_task(app.background())
            for start in range(0, len(asked or rows()), 20):
                body = json.dumps({"rows": (asked or rows())[start : start + 20]}).encode()
                assert (await ask(app, "POST", "/predict", body, {**JSON, "X-Request-ID": f"r{start}"})).status == 200
            await asyncio.sleep(0.4)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(story())
        return data / "houses" / "requests"

    return run


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """The Bento of the version, and a process with its lines."""
    folder = tmp_path_factory.mktemp("right")
    project = projects.write(folder / "project", options={"request_log": 1.0})
    bento = package.build(project, package.BentoSpec("houses", "v1", "3.11", ()), folder / "stage")
    with Worker(bento, hash_seed=0) as worker:
        yield bento, worker


@pytest.fixture
def bento(right, monkeypatch):
    """The Bento; its lines are asked in one process by all tests."""
    before = replaying._answering
    monkeypatch.setattr(
        replaying,
        "_answering",
        lambda how, *rest: contextlib.nullcontext(right[1]) if how == "own lines" else before(how, *rest),
    )
    return right[0]


def subject(bento, *logs):
    return Subject("houses", MODEL, bento, logs)


def test_the_same_service_answers_the_same_and_the_bound_is_said(bento, tmp_path, answered):
    log = answered("right")
    found = replay(subject(bento, log), LINES)
    assert (found.total, found.asked, found.differing, found.differences) == (60, 60, 0, ())
    assert found.bound == pytest.approx(1 - 0.05 ** (1 / 60))
    assert "none of 60 rows is answered otherwise by houses:v1: their share is below 4.9% with 95%" in found.sentence


ALTERED = {
    "another median": {"values": {"age_median": 75.0}},
    "another code": {"values": {"codes": {"male": 1, "female": 0}}},
    "no check": {"features": projects.FEATURES.replace("if fare < 0", "if fare < -5")},
    "fares in cents": {"features": projects.FEATURES.replace("np.log1p(check(fare))", "np.log1p(100 * check(fare))")},
    "classes turned": {"predict": projects.PREDICT.replace("return y_pred", "return 1 - y_pred")},
}
CAUSES = {"another median": "Age", "another code": "Sex_code", "fares in cents": "Fare_log"}


@pytest.mark.parametrize("kind", ALTERED)
def test_an_altered_service_is_found_from_its_log_with_the_feature_and_its_statement(bento, answered, kind):
    log = answered("altered", **ALTERED[kind])
    found = replay(subject(bento, log), LINES)
    assert not found.same
    first = found.differences[0]
    assert first.request_id.startswith("r")
    if kind in CAUSES:
        assert set(found.features) == {CAUSES[kind]}
        assert first.cause.cell in (4, 5)
        assert CAUSES[kind] in first.cause.source
    elif kind == "classes turned":
        assert (found.differing, found.features_differing) == (59, 0)


def test_the_bento_is_asked_over_http(bento, tmp_path, answered):
    found = replay(subject(bento, answered("right")), Wish(most=30))
    assert (found.how, found.total, found.asked, found.differing) == ("bento", 60, 30, 0)


@pytest.fixture
def known_to_training(bento):
    """What training had in the fields; the Bento of the tests says nothing of it."""
    path = bento / "src" / "reference.json"
    sexes = {"categories": [{"value": "male", "count": 40}, {"value": "female", "count": 20}]}
    path.write_text(json.dumps({"columns": {"Sex": sexes, "Age": {"quantiles": {"0.05": 20.0, "0.5": 40.0}}}}))
    yield
    path.write_text("{}")


@pytest.mark.usefixtures("known_to_training")
def test_of_a_log_without_a_field_what_does_not_depend_on_it_is_asked_again(bento, answered):
    """The houses' answer is of age and fare alone, so that the sex may be left out; where the age is, rows can't be held against anything."""
    log = answered("excluding", options={"request_log_exclude": ["Sex"]})
    found = replay(subject(bento, log), LINES)
    told = sum(found.skipped.values())
    assert (found.asked + told, found.differing) == (60, 0)
    assert found.asked > 0
    assert "leaves out 'Sex': each row was asked with 2 values of that from training" in found.notes[0]
    turned = answered("turned", options={"request_log_exclude": ["Sex"]}, **ALTERED["classes turned"])
    other = replay(subject(bento, turned), LINES)
    assert other.asked == found.asked
    # All but the row that has no answer.
    assert other.differing >= found.asked - 1
    log = answered("without age", options={"request_log_exclude": ["Age", "Sex"]})
    found = replay(subject(bento, log), LINES)
    assert found.differing == 0
    assert any("whose answer depends on 'Age', 'Sex', which the log leaves out" in reason for reason in found.skipped)


def test_there_must_be_rows_and_fields_that_callers_send(bento, tmp_path, answered):
    with pytest.raises(InputError, match="without the field 'Height': callers do not send it"):
        left_out(["Height"], Signature.load(bento / "src" / "signature.json"), bento)
    with pytest.raises(InputError, match="has no row that houses:v1 answered"):
        replay(subject(bento, tmp_path / "none"), LINES)
    with pytest.raises(InputError, match="has no row"):
        replay(subject(bento, answered("right")), Wish("own lines", since=dt.date(2099, 1, 1)))


def test_a_sample_is_uniform_bounded_and_repeatable(bento, tmp_path, answered):
    log = answered("right", rows(200))
    signature = Signature.load(bento / "src" / "signature.json")
    drawn = sample([log], MODEL, signature, 20)
    assert len(drawn.rows) == 20
    assert drawn.total == 200
    assert drawn == sample([log], MODEL, signature, 20)
    assert drawn != sample([log], MODEL, signature, 20, seed=1)
    seen = [
        (item.request_id, item.position)
        for seed in range(60)
        for item in sample([log], MODEL, signature, 20, seed=seed).rows
    ]
    # Each row is expected six times; below 20 for all of them but with a chance of one in a thousand.
    assert max(seen.count(row) for row in set(seen)) < 20
    assert len(set(seen)) > 190
    assert all(item.row["When"] == "2013-01-01T05:00:00" for item in drawn.rows)


def test_a_log_is_counted_while_a_service_under_load_writes_it(tmp_path, bento, monkeypatch):
    """Looks while files are being written: each row is counted once, none is lost, no half-written file is met."""
    monkeypatch.setattr(request_log, "_LOOK", 0.01)
    monkeypatch.setattr(request_log, "_FLUSH_SECONDS", 0.02)
    monkeypatch.setenv("NB2PROD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "home"))
    app = App(projects.write(tmp_path / "live", options={"request_log": 1.0}), version="v1", metrics=fresh_metrics)
    app.load()
    watched = subject(bento, tmp_path / "data" / "houses" / "requests")
    counted = []

    async def asked(number):
        for start in range(10):
            body = json.dumps({"rows": rows(6)}).encode()
            headers = {**JSON, "X-Request-ID": f"{number}-{start}"}
            assert (await ask(app, "POST", "/predict", body, headers)).status == 200

    done = asyncio.Event()

    async def looked():
        while not done.is_set():
            counted.append((await asyncio.to_thread(look, watched, Thresholds())).rows)

    async def story():
        tasks = [asyncio.create_task(app.background()), asyncio.create_task(looked())]
        await asyncio.gather(*(asked(number) for number in range(4)))
        done.set()
        await tasks[1]
        tasks[0].cancel()  # writes what is left
        await asyncio.gather(tasks[0], return_exceptions=True)

    asyncio.run(story())
    assert counted == sorted(counted)
    last = look(watched, Thresholds())
    assert (last.rows, last.notes) == (240, ())


def test_labels_that_a_served_bento_is_told_over_http(bento, tmp_path):
    """Sooner than their rows, repeated, corrected, unknown and malformed ones. What a server was asked last is in the log when it has ended."""
    with serving(bento, tmp_path) as server:

        def tell(*labels):
            status, body = server.ask("POST", "/labels", {"labels": list(labels)})
            return status, json.loads(body)

        def label(row, value, request="asked"):
            return {"request_id": request, "row": row, "label": value}

        status, body = server.ask("POST", "/predict", {"rows": rows(20)}, {"X-Request-ID": "asked"})
        assert status == 200
        # One row has no answer, and may have a label all the same.
        answers = [value or 0 for value in json.loads(body)["predictions"]]
        # The request is not in the log's files yet: a label may come sooner.
        assert tell(*(label(at, answers[at]) for at in range(10)))[0] == 202
        assert tell(label(0, 1 - answers[0]))[1]["accepted"] == 1
        assert tell(label(1, answers[1]), label(0, 0, "nobody"))[0] == 202
        status, document = tell(label(11, 1), {"request_id": "asked", "row": "eleven", "label": 1})
        assert (status, document["error"]["details"][0]["field"]) == (422, "row")
        assert tell(label(12, None))[0] == 422
    watched = subject(bento, tmp_path / "home" / "data" / "houses" / "requests")
    assert look(watched, Thresholds()).rows == 20
    found = judged(watched, Thresholds())
    # Of a request with one malformed label none is kept.
    assert (found.labelled, found.corrected, found.unknown) == (9, 1, 1)
    assert found.coverage == 9 / 20
    assert found.loss == pytest.approx(1 / 9)
