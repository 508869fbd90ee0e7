"""Altered rows, and what is said of their answers."""

import json

import numpy as np
import pytest

from nb2prod.evaluation import slices, stress
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.evaluation.stress import Ageing, Answered, Baseline, Load, StressReport, effect
from nb2prod.runtime.equality import Tolerance
from nb2prod.runtime.signature import Signature
from nb2prod.stress.changes import changes

ROWS = [{"age": 20.0 + at, "town": "Bonn" if at % 2 else "Ulm", "rooms": at % 4} for at in range(80)]
TRUTH = tuple(float(2 * row["age"]) for row in ROWS)


def signature():
    kinds = {"age": "number", "town": "string", "rooms": "integer"}
    columns = [
        {"name": name, "type": kind, "dtype": "object", "nullable": True, "field": True} for name, kind in kinds.items()
    ]
    return Signature.from_json(
        {"schema": 1, "model": {"name": "x"}, "columns": columns, "prediction": {"name": "p", "kind": "number"}}
    )


def baseline(known=True):
    truth = Outcomes(predictions=TRUTH, truth=TRUTH, estimator="regressor") if known else None
    return Baseline(tuple(map(Answered, TRUTH)), truth, slices.cut(ROWS), Tolerance(), "p")


def test_each_field_is_altered_as_its_type_allows():
    found = list(changes(ROWS, signature(), {"columns": {"age": {"std": 5.5}, "rooms": {"std": 0.3}}}))
    assert [(item.field, item.kind) for item in found] == [
        ("age", "missing"),
        ("age", "lower"),
        ("age", "higher"),
        ("town", "missing"),
        ("town", "unseen"),
        ("town", "typing error"),
        ("rooms", "missing"),
        ("rooms", "lower"),
        ("rooms", "higher"),
    ]
    by = {(item.field, item.kind): item for item in found}
    for (field, _), item in by.items():
        assert len(item.rows) == 80
        for at, row in zip(item.chosen, item.rows, strict=True):
            assert {key for key in row if row[key] != ROWS[at][key]} == {field}
    assert by["age", "higher"].rows[3]["age"] == ROWS[3]["age"] + 5.5
    assert by["rooms", "lower"].rows[3]["rooms"] == ROWS[3]["rooms"] - 1  # a whole number stays one
    mistyped = {row["town"] for row in by["town", "typing error"].rows}
    assert not mistyped & {"Bonn", "Ulm"}
    assert all(len(text) in (2, 3, 4) for text in mistyped)
    again = {(item.field, item.kind): item for item in changes(ROWS, signature(), {})}
    assert again["town", "typing error"] == by["town", "typing error"]  # the same at every run
    assert ("age", "higher") not in again  # of a field whose spread is not known


def test_an_effect_counts_sizes_and_names_who_suffers():
    base = baseline()
    answers = [Answered(value + (30 if row["town"] == "Ulm" else 0)) for value, row in zip(TRUTH, ROWS, strict=True)]
    answers[0] = Answered(refused=True)
    answers[1] = Answered(failed=True)
    found = effect("higher", "age", range(80), answers, base)
    assert (found.rows, found.refused, found.unanswered, found.answered) == (80, 1, 1, 78)
    assert found.changed == pytest.approx(0.5)
    assert found.large == pytest.approx(30 / np.std(TRUTH))
    assert (found.loss_before, found.loss) == (0.0, pytest.approx(15.0))
    assert found.worst == "town = Ulm"
    assert found.worst_by == pytest.approx(30.0)
    # Without the truth, by the change itself.
    assert effect("higher", "age", range(80), answers, baseline(known=False)).worst == "town = Ulm"


def test_labels_have_no_size_and_equal_answers_no_victim():
    labels = tuple(Answered("yes" if at % 2 else "no") for at in range(80))
    base = Baseline(labels, None, slices.cut(ROWS), Tolerance(), "p")
    other = [Answered("no") for _ in labels]
    found = effect("unseen", "town", range(80), other, base)
    assert (found.changed, found.typical, found.large, found.worst) == (0.5, None, None, "")
    assert effect("unseen", "town", range(80), labels, base).changed == 0.0


def test_a_report_is_read_as_it_was_written():
    found = effect("missing", "age", range(80), [Answered(refused=True)] * 80, baseline())
    load = (Load(1, 320, 2.0, 4.0), Load(16, 320, 9.0, 20.0, 1))
    report = StressReport("m:1", "2026-01-01T00:00:00+00:00", 80, "absolute error", (found,), Ageing(), load, 500.0)
    assert stress.from_json(json.loads(json.dumps(report.to_json()))) == report
    with pytest.raises(ValueError, match="schema 2"):
        stress.from_json({**report.to_json(), "schema": 2})
