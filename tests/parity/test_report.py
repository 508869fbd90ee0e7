"""The report: written, read again, and its forms for people and machines."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.parity import documents, junit, prover, report, target, terminal


@pytest.fixture(scope="module")
def passed(small):
    with small.serving(small.Behaviour()) as url:
        found = prover.prove(target.of_url(url, bento="small:0123456789abcdef"), small.make_cases(120))
    assert found.passed
    return found


@pytest.fixture(scope="module")
def refused(small):
    def predict(rows):
        return [small.predict(row) + (0.5 if row["port"] == "Q" else 0) for row in rows], []

    def features(rows):
        return [[*small.features(row)[:4], 7.0, small.features(row)[5]] for row in rows]

    with small.serving(small.Behaviour(predict=predict, features=features)) as url:
        found = prover.prove(target.of_url(url), small.make_cases(120), tolerance=1e-6)
    assert not found.passed
    first = replace(found.mismatches[0], request={"port": "<Q>", "sex": "é\x00"}, case='a "case" & <more>')
    return replace(found, mismatches=(first, *found.mismatches[1:]))


def test_a_report_comes_back_as_it_was_written(passed, refused, tmp_path):
    for made in (passed, refused):
        documents.write_json(made, tmp_path / "parity.json")
        assert report.read(tmp_path / "parity.json") == made


def test_a_report_is_of_the_published_schema(passed, refused):
    schema = json.loads(report.SCHEMA_FILE.read_text())
    assert schema["properties"]["schema"]["const"] == report.SCHEMA
    checker = Draft202012Validator(schema)
    for made in (passed, refused):
        form = json.loads(json.dumps(made.to_json()))
        assert list(checker.iter_errors(form)) == []
        # Every field is in the schema, so that one added or renamed is noticed.
        assert set(form) == set(schema["properties"])
        for name, part in (("mismatches", "mismatch"), ("kinds", "result")):
            assert all(set(item) == set(schema["$defs"][part]["properties"]) for item in form[name])
    del form["passed"]
    assert not checker.is_valid(form)


def test_the_summary_is_what_build_prints(passed, refused):
    summary = passed.summary()
    assert summary["passed"] is True
    assert summary["cases"] == {"replay": 120, "partition": summary["cases"]["partition"], "target-free": 1}
    assert summary["differences"] == 0
    assert refused.summary()["differences"] == refused.differences > 0


def test_what_a_later_version_added_is_skipped(passed):
    form = json.loads(json.dumps(passed.to_json()))
    form["colour"] = "green"
    form["kinds"][0]["mood"] = "good"
    assert report.from_json(form) == passed


@pytest.mark.parametrize(
    ("change", "words", "hint"),
    [
        ({"schema": 0}, "has schema 0 of the parity report; this nb2prod reads 1", "Prove again"),
        ({"schema": 2}, "has schema 2", "Update nb2prod"),
        ({"schema": "1"}, "does not hold a parity report", ""),
        ({"kinds": None}, "is damaged", "Prove again"),
        ({"kinds": [{"kind": "replay"}]}, "is damaged", "Prove again"),
        ({"replay": []}, "is damaged", "Prove again"),
    ],
)
def test_a_report_of_another_form_is_refused_in_words(passed, change, words, hint):
    with pytest.raises(InputError) as caught:
        report.from_json({**json.loads(json.dumps(passed.to_json())), **change}, "the/parity.json")
    assert words in caught.value.message
    assert "the/parity.json" in caught.value.message
    assert hint in caught.value.hint


def test_a_report_that_is_gone_is_refused_in_words(tmp_path):
    with pytest.raises(InputError, match=r"parity\.json can't be read"):
        report.read(tmp_path / "parity.json")


def test_junit_names_every_kind_and_every_shown_difference(passed, refused):
    root = ElementTree.fromstring(junit.render(passed))
    assert root.get("failures") == "0"
    assert [suite.get("name") for suite in root] == list(report.KINDS)
    assert len(root.findall(".//skipped")) == 3
    assert root.findall(".//failure") == []

    root = ElementTree.fromstring(junit.render(refused))
    assert root.tag == "testsuites"
    suites = {suite.get("name"): suite for suite in root}
    for suite in suites.values():
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall(".//failure"))
    assert int(root.get("tests")) == len(root.findall(".//testcase"))
    assert int(root.get("failures")) == len(root.findall(".//failure"))
    text = suites["replay"].find(".//failure").text
    assert "expected:" in text
    assert "port_Q" in text


def test_the_terminal_shows_verdict_kinds_and_causes(passed, refused):
    shown = terminal.text(passed, report_path="parity.html")
    assert shown.startswith("parity proved: ")
    assert "small:0123456789abcdef" in shown
    assert re.search(r"replay +passed +120", shown)
    assert "report: parity.html" in shown
    shown = terminal.text(refused, width=200)
    assert shown.startswith("parity refused: ")
    assert "the feature port_Q is 7.0 where the notebook had" in shown
    assert re.search(r"\.\.\. and [\d,]+ more differences", shown)


def test_the_report_is_run_by_papermill_and_stands_alone_as_a_page(passed, refused, tmp_path):
    for name, made in (("passed", passed), ("refused", refused)):
        folder = tmp_path / name
        folder.mkdir()
        documents.write(made, folder)
        assert sorted(path.name for path in folder.iterdir()) == [
            "parity.html",
            "parity.ipynb",
            "parity.json",
            "parity.xml",
        ]
        notebook = json.loads((folder / "parity.ipynb").read_text())
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert all(cell["execution_count"] for cell in code)
        assert str(tmp_path) not in (folder / "parity.ipynb").read_text()
        page = (folder / "parity.html").read_text()
        # Nothing is fetched, nothing runs.
        assert not re.search(r"(src|href)=|url\(|@import", page.replace('<a class="anchor-link" href="#', ""))
        assert "<script" not in page
        assert "<svg" in page
        assert "120 rows replayed" in page
    page = (tmp_path / "passed" / "parity.html").read_text()
    assert "all equal to what was expected" in page
    page = (tmp_path / "refused" / "parity.html").read_text()
    assert "answers compared differ from what was expected" in page
    assert "The tolerance was loosened to 1e-06" in page
    assert "&lt;Q&gt;" in page
    assert "&amp; &lt;more&gt;" in page
    assert "<more>" not in page
    assert "1 of 6 computed features differ" in page


def test_labels_are_shown_as_a_table_of_expected_against_actual(small, tmp_path):
    rows = small.make_cases(60).rows
    cases = small.make_cases(60, expected=tuple("dear" if row["fare"] > 50 else "cheap" for row in rows))
    behaviour = small.Behaviour(predict=lambda rows: (["dear" if row["fare"] > 60 else "cheap" for row in rows], []))
    with small.serving(behaviour) as url:
        found = prover.prove(target.of_url(url), cases)
    documents.write(found, tmp_path)
    page = (tmp_path / "parity.html").read_text()
    assert "Expected \\ actual" in page
    wrong = sum(50 < row["fare"] <= 60 for row in rows)
    assert f"60 rows replayed, {wrong} differ." in page


def test_a_cell_of_the_report_that_fails_is_told_in_a_line(passed, tmp_path):
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "metrics.json").write_text('{"kind": "held out"}')
    with pytest.raises(EnvironmentProblem) as caught:
        documents.write(passed, folder)
    assert str(caught.value).splitlines()[0] == "the parity report's notebook can't be run: KeyError: 'notes'"
