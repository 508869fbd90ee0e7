"""cases.json: written, read, and refused in words."""

import json

import pytest

from nb2prod.errors import InputError
from nb2prod.parity import cases
from nb2prod.parity.cases import Edge


def test_cases_come_back_as_they_were_written(small, tmp_path):
    edges = (
        Edge({"age": None}, "value", 1.5, "nothing but a missing age"),
        Edge({"age": 1}, "raises", "ValueError"),
        Edge({"age": "x"}, "refused", "age: expected a number"),
    )
    made = small.make_cases(12, edges=edges)
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(made.to_json(), allow_nan=False))
    assert cases.read(path).to_json() == made.to_json()
    assert cases.read(path).edges == edges


def test_the_least_that_cases_hold():
    form = {"schema": 1, "notebook": "x.ipynb", "prediction": "y", "replay": {"rows": [{"a": 1}], "expected": [2]}}
    found = cases.from_json(form)
    assert (found.rows, found.expected, found.row_id(0), found.edges) == (({"a": 1},), (2,), None, ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 2}, "has schema 2 of the set of parity cases; this nb2prod reads 1"),
        ({"schema": None}, "does not hold a set of parity cases"),
        ({"replay": {"rows": [{}], "expected": []}}, "1 rows and 0 predictions"),
        ({"replay": {"rows": [3], "expected": [1]}}, "a row is not an object"),
        ({"replay": {}}, "KeyError"),
        ({"features": {"names": ["a"], "values": []}}, "features of 0"),
        ({"edges": [{"row": {}, "expected": {"answer": 1}}]}, "an edge's outcome is 'answer'"),
    ],
)
def test_cases_of_another_form_are_refused(small, change, words):
    form = {**small.make_cases(1).to_json(), **change}
    with pytest.raises(InputError) as caught:
        cases.from_json(form, "the/cases.json")
    assert words in caught.value.message
    assert "the/cases.json" in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "cases.json"
    path.write_text("{")
    with pytest.raises(InputError, match=r"cases\.json can't be read"):
        cases.read(path)


def test_a_tolerance_for_an_output_that_there_is_not_is_refused():
    made = cases.Cases("x.ipynb", "y_pred", ({"a": 1},), ({"price": 1.0, "rent": 2.0},))
    assert cases.tolerance_of(made, 1e-9, {"rent": 1e-3}).of("rent").relative == 1e-3
    with pytest.raises(InputError, match="'size', which is no output"):
        cases.tolerance_of(made, 1e-9, {"size": 1e-3})
