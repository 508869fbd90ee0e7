"""The model card: it tells what it must, and the notebook's text can't break out of it."""

import pytest
from markdown_it import MarkdownIt

from nb2prod.bento import card
from nb2prod.diagnostics import Diagnostic
from nb2prod.evaluation.evaluation import evaluate
from nb2prod.evaluation.outcomes import Outcomes

SIGNATURE = {
    "raw_table": "df",
    "columns": [
        {
            "name": "Age",
            "dtype": "float64",
            "type": "number",
            "field": True,
            "target": False,
            "nullable": True,
            "minimum": 0.4,
            "maximum": 80,
        },
        {
            "name": "Sex",
            "dtype": "str",
            "type": "string",
            "field": True,
            "target": False,
            "nullable": False,
            "categories": ["m", "f"],
        },
        {"name": "Survived", "dtype": "int64", "type": "integer", "field": False, "target": True, "nullable": False},
        {"name": "Id", "dtype": "int64", "type": "integer", "field": False, "target": False, "nullable": False},
    ],
    "prediction": {"name": "y_pred", "dtype": "int64", "kind": "integer", "labels": [0, 1]},
}


def made(**changes):
    return card.Card(
        **{"name": "titanic", "version": "abcd1234", "notebook": "titanic.ipynb", "signature": SIGNATURE, **changes}
    )


def evaluation(name):
    """Metrics of two classes and a number, in which one slice is worse; `name` stands wherever the notebook's words do."""
    rows = [{name: "a" if at < 60 else name, "n": at / 7} for at in range(160)]
    truth = [name if at % 2 else "dead" for at in range(160)]
    predictions = [value if at >= 60 or at % 3 else "dead" for at, value in enumerate(truth)]
    known = Outcomes(predicted=200, trained=40, predictions=tuple(predictions), truth=tuple(truth), rows=tuple(rows))
    return evaluate(known, name)


def html(text):
    return MarkdownIt("commonmark").enable("table").render(text)


def test_tells_owner_runbook_data_metrics_fields_captured_filters_warnings_parity():
    text = card.render(
        made(
            owner="ships@example.org",
            runbook="https://example.org/runbook",
            notebook_sha256="0123456789abcdef0123",
            rows=891,
            predicted_rows=179,
            metrics=evaluation("survived"),
            captured=(card.CapturedValue("age_median", 4, 2, "median of Age", "json"),),
            filters=(card.Filter(5, 1, 'df = df[df["Fare"] > 0]', "validity"),),
            diagnostics=(
                Diagnostic("T4", "warning", "train_test_split has no random_state", "set one", 6, 3),
                Diagnostic("N17", "info", "the forecast differed", ""),
            ),
            parity={
                "passed": True,
                "kinds": [{"kind": "replay", "status": "passed", "rows": 179, "differences": 0, "note": "weak: x_y"}],
                "notes": ["few rows"],
            },
            examples={"rows": [{"Age": 29.0, "Sex": "m"}]},
            python_version="3.11",
            requirements=("numpy==2.4.1", "pandas==3.0.0"),
        )
    )
    for told in (
        "ships@example.org",
        "<https://example.org/runbook>",
        "`0123456789abcdef`",
        "891 rows",
        "predicted: 179",
        "| `accuracy` | 0.9375 | 0.8881 to 0.9696 | higher |",
        "40 of the 200 rows that the notebook predicted are rows that the model was fitted to; they are left out.",
        "| `survived = a` | 60 | 0.1667 | 0 | worse |",
        "| `Age` | number (`float64`) | yes | 0.4 to 80 |",
        "| `Sex` | string (`str`) | no | `m`, `f` |",
        "The target, not part of a request: `Survived`",
        "Raw columns in which other values changed no answer of the rows that were tried, not part of a request: `Id`",
        "| `age_median` | 4, line 2 | median of Age | json |",
        'df = df[df["Fare"] > 0]',
        "a request's row that it drops is refused",
        "**T4** cell 6, line 3: train\\_test\\_split has no random\\_state",
        "| replay | passed | 179 | 0 | weak: x\\_y |",
        "- few rows",
        '-d \'{"rows": [{"Age": 29.0, "Sex": "m"}]}\'',
        "Python 3.11 and 2 pinned packages",
    ):
        assert told in text
    assert "N17" not in text


def test_says_what_is_missing():
    text = card.render(made())
    assert "nobody yet" in text
    assert "Not proved yet" in text


def test_the_summary_of_a_build_will_do_for_the_proof():
    text = card.render(made(parity={"passed": True, "cases": {"replay": 179, "partition": 300}, "differences": 0}))
    assert "| replay | 179 |\n| partition | 300 |" in text


def test_a_failed_proof_is_said():
    assert "**failed**" in card.render(made(parity={"passed": False, "cases": {}}))


NASTY = "a|b `code` ``two`` <script>alert(1)</script> [x](javascript:1) **bold** \n# head\n"


def test_the_notebooks_text_breaks_out_of_nothing():
    column = {
        "name": NASTY,
        "dtype": "str",
        "type": "string",
        "field": True,
        "target": False,
        "nullable": False,
        "categories": [NASTY],
    }
    text = card.render(
        made(
            name=NASTY,
            owner=NASTY,
            runbook="javascript:alert(1)",
            notebook=NASTY,
            signature={**SIGNATURE, "columns": [column]},
            metrics=evaluation(NASTY),
            captured=(card.CapturedValue(NASTY, 1, 1, NASTY, NASTY),),
            filters=(card.Filter(1, 1, NASTY, NASTY),),
            diagnostics=(Diagnostic("F1", "warning", NASTY, NASTY, 1, 1),),
            parity={"passed": True, "cases": {NASTY: NASTY}, "notes": [NASTY]},
            examples={"rows": [{NASTY: "```\n'"}]},
        )
    )
    page = html(text)
    assert "<script" not in page
    assert "href=" not in page
    assert page.count("<h1>") == 1
    for line in text.splitlines():
        if line.startswith("| ") and "---" not in line:
            assert line.replace("\\|", "").count("|") in (3, 4, 5, 6)


@pytest.mark.parametrize("text", ["plain", "`", "``a`b``", "a|b", "`x`", "<b>"])
def test_a_code_span_shows_its_text(text):
    page = html(card.table(("head",), [(card.code(text),)]))
    assert f"<code>{text.replace('<', '&lt;').replace('>', '&gt;')}</code>" in page
