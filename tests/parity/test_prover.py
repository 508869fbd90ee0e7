"""The proof against running services: a right one passes, and each way of being wrong is caught and named."""

import json
import random
import statistics
import threading
import time

import pytest

from nb2prod.errors import InputError
from nb2prod.parity import prover, target
from nb2prod.parity.bench import Limits
from nb2prod.parity.cases import Edge, Statement
from nb2prod.parity.faults import ServiceFault
from nb2prod.runtime.equality import Measure, Tolerance


def prove(small, behaviour, cases=None, **options):
    with small.serving(behaviour) as url:
        return prover.prove(target.of_url(url), cases or small.make_cases(), **options)


def failed(report):
    return {item.kind for item in report.kinds if item.status == "failed"}


def test_a_service_that_answers_as_the_notebook_passes(small):
    report = prove(small, small.Behaviour())
    assert report.passed
    assert report.differences == 0
    assert report.mismatches == ()
    assert report.cases["replay"] == 400
    assert report.cases["partition"] > 1_000
    assert report.kind("wire").status == "not run"
    assert "needs the Bento's folder" in report.kind("wire").note
    assert [item.name for item in report.features] == list(small.feature_names)
    assert all(item.differing == 0 for item in report.features)
    assert report.replay.actual == report.replay.expected
    assert any("asked as it is" in note for note in report.notes)


def test_right_services_pass_with_every_seed(small):
    cases = small.make_cases(120)
    with small.serving(small.Behaviour()) as url:
        reports = [
            prover.prove(target.of_url(url), cases, seed=seed, limits=Limits(replay=100, singles=20, pool=50))
            for seed in range(25)
        ]
    assert all(report.passed for report in reports)


def test_the_same_seed_asks_the_same(small):
    asked = []

    def note(rows):
        asked.append(json.dumps(rows))
        return [small.predict(row) for row in rows], []

    first = prove(small, small.Behaviour(predict=note), seed=7)
    before = sorted(asked)
    asked.clear()
    second = prove(small, small.Behaviour(predict=note), seed=7)
    assert sorted(asked) == before
    assert first.cases == second.cases


def each(change):
    """A service that answers each row by this function of the right answer and the row."""

    def make(small):
        return small.Behaviour(predict=lambda rows: ([change(small.predict(row), row) for row in rows], []))

    return make


def whole(change):
    """A service whose answers to a request go through this function of answers and rows."""

    def make(small):
        return small.Behaviour(predict=lambda rows: (change([small.predict(row) for row in rows], rows, small), []))

    return make


def refilled(small, rows, fill):
    return [small.predict({**row, "age": fill if row["age"] is None else row["age"]}) for row in rows]


def batch_median(answers, rows, small):
    ages = [row["age"] for row in rows if row["age"] is not None]
    return refilled(small, rows, statistics.median(ages) if ages else small.median)


def forward_fill(answers, rows, small):
    made, last = [], small.median
    for row in rows:
        last = row["age"] if row["age"] is not None else last
        made.append(small.predict({**row, "age": last}))
    return made


def rank_of_fare(answers, rows, small):
    order = sorted(row["fare"] for row in rows)
    return [answer + order.index(row["fare"]) / len(rows) for answer, row in zip(answers, rows, strict=True)]


def dummies_of_the_batch(answers, rows, small):
    """As get_dummies(drop_first=True) on what the request holds."""
    first = min((row["port"] for row in rows if row["port"]), default=None)
    effect = {"C": 0.4, "Q": -0.3}
    return [
        answer - (effect.get(row["port"], 0) if row["port"] == first else 0)
        for answer, row in zip(answers, rows, strict=True)
    ]


ROW_WISE = {
    "a constant changed": each(lambda answer, row: answer + 1e-6),
    "a relative 1e-8": each(lambda answer, row: answer * (1 + 1e-8)),
    "rounded": each(lambda answer, row: round(answer, 6)),
    "narrowed to float32": each(
        lambda answer, row: __import__("struct").unpack("f", __import__("struct").pack("f", answer))[0]
    ),
    "narrowed to integers": each(lambda answer, row: int(answer)),
    "as text": each(lambda answer, row: str(answer)),
    "in a list": each(lambda answer, row: [answer]),
    "missing filled otherwise": whole(lambda answers, rows, small: refilled(small, rows, small.median + 1)),
    "missing not answered": each(lambda answer, row: None if row["age"] is None else answer),
    "a category map altered": each(lambda answer, row: answer + (0.1 if row["port"] == "Q" else 0)),
    "a rare category": each(lambda answer, row: answer + (0.1 if row["port"] is None else 0)),
    "fields swapped": each(lambda answer, row: answer if row["count"] < 5 else answer + 0.01),
    "one extreme wrong": each(lambda answer, row: answer * 2 if row["fare"] > 199 else answer),
}
BATCH_WISE = {
    "an analyzer recomputed": whole(batch_median),
    "forward fill": whole(forward_fill),
    "a rank": whole(rank_of_fare),
    "dummies of the batch": whole(dummies_of_the_batch),
    "row order lost": whole(lambda answers, rows, small: sorted(answers)),
    "reversed": whole(lambda answers, rows, small: answers[::-1]),
    "right only alone": whole(lambda answers, rows, small: answers if len(rows) == 1 else [a + 1e-3 for a in answers]),
    "wrong only alone": whole(lambda answers, rows, small: answers if len(rows) > 1 else [a + 1e-3 for a in answers]),
    "wrong in the first row": whole(lambda answers, rows, small: [answers[0] + 1, *answers[1:]] if answers else []),
    "wrong for repeated rows": whole(
        lambda answers, rows, small: [
            a + (1 if rows.count(row) > 1 else 0) for a, row in zip(answers, rows, strict=True)
        ]
    ),
    "one row lost": whole(lambda answers, rows, small: answers[:-1] if len(answers) > 3 else answers),
}


@pytest.mark.parametrize("name", ROW_WISE)
def test_a_row_wise_difference_fails_the_replay(small, name):
    report = prove(small, ROW_WISE[name](small))
    assert not report.passed
    assert "replay" in failed(report)
    first = report.mismatches[0]
    assert first.row_id == 1000 + first.row
    assert first.request == small.make_cases().rows[first.row]
    assert first.expected == small.make_cases().expected[first.row]


@pytest.mark.parametrize("name", BATCH_WISE)
def test_a_batch_wise_difference_fails_the_partition(small, name):
    report = prove(small, BATCH_WISE[name](small))
    assert not report.passed
    assert "partition" in failed(report)


def test_an_answer_that_varies_from_request_to_request_is_caught(small):
    rng = random.Random(0)
    report = prove(small, each(lambda answer, row: answer + rng.choice([0, 0, 0, 1e-3]))(small))
    assert not report.passed


def test_answers_that_change_where_requests_meet_are_caught(small):
    asking, lock = set(), threading.Lock()

    def predict(rows):
        with lock:
            asking.add(threading.get_ident())
        time.sleep(0.005)
        crowded = len(asking) > 2  # more than the two requests of the other cases
        with lock:
            asking.discard(threading.get_ident())
        return [small.predict(row) + (0.1 if crowded else 0) for row in rows], []

    report = prove(small, small.Behaviour(predict=predict), small.make_cases(60))
    assert failed(report) == {"partition"}
    assert {item.case for item in report.mismatches} == {"alone, with other requests at once"}


def test_a_dependence_on_neighbours_is_explained(small):
    def ages(rows):
        known = [row["age"] for row in rows if row["age"] is not None]
        fill = statistics.median(known) if known else small.median
        return [small.features({**row, "age": fill if row["age"] is None else row["age"]}) for row in rows]

    behaviour = whole(batch_median)(small)
    behaviour.features = ages
    report = prove(small, behaviour)
    cause = next(item.cause for item in report.mismatches if item.kind == "replay")
    assert cause.feature == "age"
    assert "depends on its neighbours, by the feature age" in cause.text
    assert next(item for item in report.features if item.name == "age").differing > 0


def test_a_wrong_feature_is_named_with_the_recorded_and_the_computed_value(small):
    def features(row):
        made = small.features(row)
        return [*made[:1], made[1] * 2, *made[2:]]

    behaviour = each(lambda answer, row: answer + 0.17 * small.features(row)[1])(small)
    behaviour.features = lambda rows: [features(row) for row in rows]
    report = prove(small, behaviour)
    cause = report.mismatches[0].cause
    assert cause.feature == "fare_each"
    assert cause.actual == pytest.approx(2 * cause.expected)


def test_a_difference_after_the_features_is_told_so(small):
    report = prove(small, each(lambda answer, row: answer + 1)(small))
    assert "all 6 features equal the notebook's" in report.mismatches[0].cause.text


def test_a_row_error_where_the_notebook_predicted_is_a_difference(small):
    def predict(rows):
        bad = [at for at, row in enumerate(rows) if row["port"] is None]
        answers = [None if at in bad else small.predict(row) for at, row in enumerate(rows)]
        return answers, [{"row": at, "field": "port", "code": "row_failed", "reason": "KeyError"} for at in bad]

    report = prove(small, small.Behaviour(predict=predict))
    assert failed(report) == {"replay"}
    assert "a row error came back: port: KeyError" in report.mismatches[0].reason


def test_a_row_that_the_contract_refuses_is_named_and_the_others_are_compared(small):
    behaviour = small.Behaviour(refuse=lambda row: "port" if row.get("port") is None else None)
    report = prove(small, behaviour)
    rows = small.make_cases().rows
    assert report.kind("replay").differences == sum(row["port"] is None for row in rows)
    assert "a refusal of the row's form (422) came back: port: port is not a field" in report.mismatches[0].reason


def test_a_service_that_takes_the_target_is_caught(small):
    report = prove(small, small.Behaviour(refuse=lambda row: None))
    assert failed(report) == {"target-free"}
    assert "the request named 'survived', the target, and was not refused" in report.mismatches[0].reason


def test_a_service_that_answers_no_rows_wrongly_is_caught(small):
    behaviour = small.Behaviour(predict=lambda rows: ([small.predict(r) for r in rows], []) if rows else ([None], []))
    report = prove(small, behaviour)
    assert failed(report) == {"partition"}
    assert report.mismatches[0].case == "the batch of no rows"


def test_a_status_that_is_no_answer_is_a_difference(small):
    class Failing(small.Behaviour):
        def write(self, handler, status, document):
            super().write(handler, 500 if handler.path == "/predict" and status == 200 else status, document)

    report = prove(small, Failing())
    assert "an unusable answer came back: 500" in report.mismatches[0].reason


def test_a_request_that_is_too_large_is_asked_in_parts(small):
    class Small(small.Behaviour):
        def write(self, handler, status, document):
            if handler.path == "/predict" and status == 200 and len(document["predictions"]) > 40:
                status, document = 413, {"error": {"code": "too_large", "message": "at most 40 rows"}}
            super().write(handler, status, document)

    assert prove(small, Small()).passed


def test_a_service_that_is_busy_is_asked_again(small):
    class Busy(small.Behaviour):
        asked = 0

        def write(self, handler, status, document):
            self.asked += handler.path == "/predict"
            if handler.path == "/predict" and status == 200 and self.asked % 20 == 1:
                status, document = 429, {"error": {"code": "busy", "message": "too many requests at once"}}
            super().write(handler, status, document)

    assert prove(small, Busy(), small.make_cases(60)).passed


def test_edges_agree_when_value_error_and_refusal_do(small):
    good = small.make_rows(1)[0]
    edges = (
        Edge({**good, "age": None}, "value", small.predict({**good, "age": None}), "age missing"),
        Edge({**good, "count": -1}, "raises", "ZeroDivisionError", "count of -1"),
        Edge({**good, "extra": 1}, "refused", "unknown field", "a field too many"),
    )

    def predict(rows):
        bad = [at for at, row in enumerate(rows) if row["count"] == -1]
        answers = [None if at in bad else small.predict(row) for at, row in enumerate(rows)]
        return answers, [{"row": at, "code": "row_failed", "reason": "ZeroDivisionError"} for at in bad]

    behaviour = small.Behaviour(predict=predict)
    report = prove(small, behaviour, small.make_cases(edges=edges))
    assert report.passed
    assert report.kind("edges").refused == 1
    assert any("odd rows" in line for line in report.summary_text.left_out)

    for wrong in (
        Edge(edges[0].row, "value", 3.0, "value"),
        Edge(edges[0].row, "raises", "ValueError", "raises"),
        Edge(edges[0].row, "refused", "", "refused"),
        Edge(edges[1].row, "value", 3.0, "value, failed"),
        Edge(edges[2].row, "value", 3.0, "value, refused"),
    ):
        report = prove(small, behaviour, small.make_cases(edges=(wrong,)))
        assert failed(report) == {"edges"}
        assert report.mismatches[0].case == wrong.name


def test_a_bad_row_that_spoils_its_neighbours_is_caught(small):
    good = small.make_rows(1)[0]
    edges = (Edge({**good, "count": -1}, "raises", "ZeroDivisionError"),)

    def predict(rows):
        if any(row["count"] == -1 for row in rows):
            return [None] * len(rows), [{"row": at, "reason": "failed"} for at in range(len(rows))]
        return [small.predict(row) for row in rows], []

    report = prove(small, small.Behaviour(predict=predict), small.make_cases(edges=edges))
    assert failed(report) == {"edges"}
    assert report.mismatches[0].case == "beside odd rows"


def test_labels_vectors_and_objects_are_compared_by_type(small):
    rows = small.make_cases(60).rows
    for made, wrong in (
        (lambda row: int(row["fare"] > 50), bool),
        (lambda row: "yes" if row["fare"] > 50 else "no", lambda answer: answer.upper()),
        (lambda row: [row["fare"] / 200, 1 - row["fare"] / 200], lambda answer: answer[::-1]),
        (lambda row: {"price": row["fare"], "sex": row["sex"]}, lambda answer: {**answer, "price": 0.0}),
        (lambda row: row["member"], int),
    ):
        cases = small.make_cases(60, expected=tuple(made(row) for row in rows))
        right = small.Behaviour(predict=lambda rows, made=made: ([made(row) for row in rows], []))
        assert prove(small, right, cases).passed
        other = small.Behaviour(predict=lambda rows, made=made, wrong=wrong: ([wrong(made(row)) for row in rows], []))
        assert not prove(small, other, cases).passed


def test_a_loosened_tolerance_passes_and_stands_out(small):
    behaviour = each(lambda answer, row: answer * (1 + 1e-6))
    assert not prove(small, behaviour(small)).passed
    report = prove(small, behaviour(small), tolerance=1e-4)
    assert report.passed
    assert report.loosened == {"": 1e-4}
    assert any("loosened to 0.0001" in note for note in report.notes)
    assert prove(small, behaviour(small), tolerance=Tolerance(outputs={"y_pred": 1e-4})).passed


def test_what_was_measured_of_the_path_says_what_rounding_is(small):
    """Sums near nought differ by more than a share of themselves; what the path differed by when asked twice is told."""
    expected = tuple((index % 5) * 1e-15 for index in range(60))
    known = {json.dumps(row, sort_keys=True): answer for row, answer in zip(small.make_rows(60), expected, strict=True)}

    def rounded(rows):
        return [known[json.dumps(row, sort_keys=True)] + len(rows) % 3 * 4e-16 for row in rows], []

    bare = small.make_cases(60, expected=expected)
    assert not prove(small, small.Behaviour(predict=rounded), bare).passed
    measured = small.make_cases(60, expected=expected, answers={"": Measure("float64", 3.0, 1.8e-12)})
    report = prove(small, small.Behaviour(predict=rounded), measured)
    assert report.passed
    (found,) = report.precision
    assert (found.output, found.absolute, found.noise) == ("y_pred", pytest.approx(3e-9), 1.8e-12)
    assert any("differed by up to 1.8e-12" in note for note in report.notes)


def test_few_rows_are_said_to_be_weak(small):
    report = prove(small, small.Behaviour(), small.make_cases(19))
    assert report.passed
    assert any("weak" in note and "19 rows" in note for note in report.notes)


def test_more_rows_than_the_limit_are_chosen(small):
    report = prove(small, small.Behaviour(), small.make_cases(300), limits=Limits(replay=80))
    assert report.cases["replay"] == 80
    assert any("Replayed 80 of the 300 rows" in note for note in report.notes)


def test_no_rows_prove_nothing(small):
    with pytest.raises(InputError, match="no rows"):
        prove(small, small.Behaviour(), small.make_cases(0))


# -- services that give no answer --


def test_nobody_answers():
    with pytest.raises(ServiceFault, match="nothing answers at"):
        target.of_url("http://127.0.0.1:9").signature()


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "ftp://x", "http://", "nonsense"])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(InputError, match="is not the URL of a service"):
        target.of_url(url)


def test_a_url_that_is_not_ours_is_refused(small):
    class Other(small.Behaviour):
        def write(self, handler, status, document):
            super().write(handler, 404 if handler.path == "/signature" else status, {"detail": "Not Found"})

    with pytest.raises(InputError, match="is not a service made by nb2prod"):
        prove(small, Other())


class Raw:
    """Mixed into a behaviour: writes these bytes in place of the answer to /predict, then closes."""

    raw = b""

    def write(self, handler, status, document):
        if handler.path != "/predict":
            super().write(handler, status, document)
            return
        handler.wfile.write(self.raw)
        handler.close_connection = True


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (
            b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"predictions": [1, 2',
            "broke off in the middle of its answer",
        ),
        (b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{"predic\r\n', "broke off in the middle"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "a body that is not JSON"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{"predictions": [NaN]} ', "NaN is not JSON"),
        (b"", "broke during POST /predict"),
        (b"nonsense\r\n\r\n", "broke during POST /predict"),
    ],
)
def test_half_an_answer_is_a_fault_in_words(small, raw, words):
    behaviour = type("Broken", (Raw, small.Behaviour), {"raw": raw})()
    with pytest.raises(ServiceFault) as caught:
        prove(small, behaviour)
    assert words in caught.value.message
    assert caught.value.exit_code == 2


def test_a_service_that_hangs_is_a_fault_in_words(small, monkeypatch):
    class Hanging(small.Behaviour):
        def write(self, handler, status, document):
            if handler.path == "/predict":
                time.sleep(1.5)
            super().write(handler, status, document)

    monkeypatch.setattr(prover.Client, "__init__", quick(prover.Client.__init__))
    with pytest.raises(ServiceFault, match=r"did not answer POST /predict within 0\.5 s"):
        prove(small, Hanging())


def test_a_service_that_drips_its_answer_counts_as_hanging(small, monkeypatch):
    class Dripping(small.Behaviour):
        def write(self, handler, status, document):
            if handler.path != "/predict":
                super().write(handler, status, document)
                return
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n")
            try:
                for _ in range(60):
                    handler.wfile.write(b" ")
                    time.sleep(0.05)
            except OSError:
                pass

    monkeypatch.setattr(prover.Client, "__init__", quick(prover.Client.__init__))
    with pytest.raises(ServiceFault, match="did not answer"):
        prove(small, Dripping())


def quick(original):
    def init(self, url, *, headers=None, timeout=0.5):
        original(self, url, headers=headers, timeout=0.5)

    return init


def test_a_feature_of_an_odd_row_is_held_against_the_notebooks_statements(small):
    """The prediction is as expected; the statement that makes the feature is named as the plan found it."""
    row = {**small.make_rows(1)[0], "port": "never seen"}
    edge = Edge(row, "value", small.predict(row), "port: an unseen value", small.features(row))
    made_by = tuple(Statement(5, line, f"df[{name!r}] = ...", "F4") for line, name in enumerate(small.feature_names, 1))
    cases = small.make_cases(60, edges=(edge,), made_by=made_by)

    def features(rows):
        return [[v + (i == 3 and r["port"] == "never seen") for i, v in enumerate(small.features(r))] for r in rows]

    assert prove(small, small.Behaviour(), cases).passed
    report = prove(small, small.Behaviour(features=features), cases)
    assert failed(report) == {"edges"}
    (mismatch,) = report.mismatches
    assert (mismatch.output, mismatch.expected, mismatch.actual) == ("port_C", 0.0, 1.0)
    cause = mismatch.cause
    assert (cause.feature, cause.cell, cause.line, cause.rule) == ("port_C", 5, 4, "F4")
    assert cause.source == "df['port_C'] = ..."


def test_a_row_error_must_say_why(small):
    row = {**small.make_rows(1)[0], "count": -1}
    cases = small.make_cases(60, edges=(Edge(row, "raises", "ZeroDivisionError", "a count of -1"),))

    def answering(reason):
        def predict(rows):
            bad = [i for i, item in enumerate(rows) if item["count"] == -1]
            made = [None if i in bad else small.predict(item) for i, item in enumerate(rows)]
            return made, [{"row": i, "field": None, "code": "row_failed", "reason": reason} for i in bad]

        return small.Behaviour(predict=predict)

    report = prove(small, answering("the notebook's code failed: ZeroDivisionError in cell 3"), cases)
    assert report.passed
    assert report.kind("edges").failed == 1
    silent = prove(small, answering(""), cases)
    assert failed(silent) == {"edges"}
    assert "does not say why" in silent.mismatches[0].reason
