"""The counterfactual kind: what it asks, what fails a proof, what is no case, and what the report says where it was not run."""

from dataclasses import replace

import pytest

from nb2prod.counterfactual.cases import Changed, Found
from nb2prod.parity import cases, prover, report, target


def changed(small, number, **values):
    row = {**small.make_rows(30)[number], **values}
    words = " and ".join(f"{name} = {value!r}" for name, value in values.items())
    return Changed(500 + number, words, row, "value", small.predict(row), small.features(row), number=number)


def prove(small, known, behaviour=None, awaited=None):
    with small.serving(behaviour or small.Behaviour()) as url:
        return prover.prove(target.of_url(url), known, awaited=awaited)


class Awaited:
    """Runs that have ended: what they found, and which rows they confirm."""

    def __init__(self, found, confirmed=None):
        self._found, self.confirmed, self.asked = found, confirmed, []

    def found(self):
        return self._found

    def confirm(self, rows):
        self.asked.append([row.row_id for row in rows])
        return self.confirmed


def drops_port(small):
    """A service that does not look at the port."""
    return small.Behaviour(predict=lambda rows: ([small.predict({**row, "port": "S"}) for row in rows], []))


def test_rows_that_the_notebook_answers_alike_pass_and_are_counted(small):
    rows = tuple(changed(small, number, port="C", age=None) for number in range(5))
    whole = changed(small, 6, count=5)
    told = {"outcome": "raises", "expected": "left out by the filter at cell 2, line 1"}
    left = replace(whole, request={**whole.request, "count": -1}, **told)

    def predict(asked):
        bad = [at for at, row in enumerate(asked) if row["count"] == -1]
        answers = [None if at in bad else small.predict(row) for at, row in enumerate(asked)]
        return answers, [{"row": at, "code": "row_refused", "reason": "left out"} for at in bad]

    known = small.make_cases(counterfactual=Found((*rows, left), notes=("a note",)))
    made = prove(small, known, small.Behaviour(predict=predict))
    kind = made.kind("counterfactual")
    assert made.passed
    assert (kind.status, kind.rows, kind.failed, kind.note) == ("passed", 6, 1, "a note")


def test_a_difference_fails_the_proof_and_names_row_change_and_feature(small):
    known = small.make_cases(60, counterfactual=Found((changed(small, 3, port="C"),)))
    known = replace(known, rows=tuple({**row, "port": "S"} for row in known.rows))
    known = replace(
        known, expected=tuple(map(small.predict, known.rows)), feature_values=tuple(map(small.features, known.rows))
    )
    made = prove(small, known, drops_port(small))
    assert not made.passed
    (item,) = [item for item in made.mismatches if item.kind == "counterfactual"]
    assert item.case == "row 503 with port = 'C'"
    assert item.row_id == 503
    assert item.expected == pytest.approx(known.counterfactual.rows[0].expected)
    assert item.request["port"] == "C"
    assert item.cause is not None


def test_a_row_that_the_notebook_left_out_must_not_be_answered(small):
    row = replace(changed(small, 2, port="C"), outcome="raises", expected="left out by the filter at cell 2, line 1")
    made = prove(small, small.make_cases(counterfactual=Found((row,))))
    (item,) = made.mismatches
    assert "a row error expected" in item.reason


def test_a_field_that_the_service_does_not_take_fails(small):
    row = changed(small, 2, port="C")
    made = prove(small, small.make_cases(counterfactual=Found((replace(row, request={**row.request, "lot": 3}),))))
    (item,) = made.mismatches
    assert "a refusal" in item.reason


@pytest.mark.parametrize(
    ("confirmed", "passes", "rows"), [([0, 1], False, 3), ([], True, 1), ([1], False, 2), (None, False, 3)]
)
def test_what_differs_is_put_to_the_notebook_once_more(small, confirmed, passes, rows):
    """Rows whose answers it does not give again depend on other rows: they are no cases."""
    all_south = tuple({**row, "port": "S"} for row in small.make_rows(60))
    known = small.make_cases(
        60,
        rows=all_south,
        expected=tuple(map(small.predict, all_south)),
        feature_values=tuple(map(small.features, all_south)),
    )
    found = Found((changed(small, 1, port="C"), changed(small, 2, port="S"), changed(small, 3, port="Q")))
    awaited = Awaited(found, confirmed)
    made = prove(small, known, drops_port(small), awaited)
    assert awaited.asked == [[501, 503]]
    assert made.passed == passes
    assert made.kind("counterfactual").rows == rows
    assert ("depend on which other rows were changed" in made.kind("counterfactual").note) == (rows < 3)


def test_where_it_was_not_run_the_report_says_what_that_leaves_open(small):
    made = prove(small, small.make_cases(), awaited=Awaited(Found(missing="it takes too long: that stays open")))
    assert made.passed
    assert made.kind("counterfactual").status == "not run"
    assert made.kind("counterfactual").note == "it takes too long: that stays open"
    assert "No counterfactual rows: it takes too long: that stays open." in made.notes
    assert "counterfactual" not in made.cases


def test_cases_and_report_are_read_again_as_they_were_written(small):
    known = small.make_cases(counterfactual=Found((changed(small, 1, age=None),), runs=2, seconds=1.5, notes=("n",)))
    assert cases.from_json(known.to_json()) == known
    assert cases.from_json(small.make_cases().to_json()).counterfactual is None
    made = prove(small, known)
    assert report.from_json(made.to_json()).kind("counterfactual").rows == 1
