"""Quick fixes: sure to do what they say, and none where that can't be told."""

import ast

import pytest

from nb2prod.diagnostics import Diagnostic
from nb2prod.notebook import loads
from nb2prod.server.fixes import fixes
from tests.server.books import document


def found(source, code, *, line=1, hint="", severity="warning", tags=("feature",)):
    import json
    from pathlib import Path

    notebook = document((tags[0], source))
    notebook["cells"][0]["metadata"]["tags"] = list(tags)
    item = Diagnostic(code, severity, "It is so.", hint, 1 if code[0] != "N" else None, line, source)
    return fixes(item, loads(json.dumps(notebook), Path("x.ipynb")))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("m = Forest()", "m = Forest(random_state=0)"),
        ("m = Forest(100)", "m = Forest(100, random_state=0)"),
        ("m = Forest(\n    100,\n)", "m = Forest(\n    100,\nrandom_state=0)"),
        ("m = Forest(100,)", "m = Forest(100, random_state=0)"),
        ("größe = Forest('ä').fit(X)", "größe = Forest('ä', random_state=0).fit(X)"),
    ],
)
def test_random_state_goes_into_the_call(before, after):
    first, ignore = found(before, "T4", hint="Add random_state=0 to Forest(...).")
    assert (first.label, first.source) == ("Add random_state=0", after)
    ast.parse(first.source)
    assert ignore.label == "Ignore T4 on this line"


def test_two_such_calls_on_a_line_are_left_to_the_author():
    labels = [fix.label for fix in found("a, b = Forest(), Forest()", "T4", hint="Add random_state=0 to Forest(...).")]
    assert labels == ["Ignore T4 on this line"]


def test_a_chained_in_place_change_is_assigned():
    first, _ = found(
        'x = 1\ndf["a"].fillna(0, inplace=True)',
        "F16",
        line=2,
        hint="Assign the result:\n    df['a'] = df['a'].fillna(0)",
    )
    assert first.source == "x = 1\ndf['a'] = df['a'].fillna(0)"


def test_an_ignore_comment_is_added_once_and_joined():
    (fix,) = found("x = y  # nb2prod: ignore[F14]", "F17")
    assert fix.source == "x = y  # nb2prod: ignore[F14, F17]"
    (fix,) = found("x = y", "F17")
    assert fix.source == "x = y  # nb2prod: ignore[F17]"


def test_no_comment_is_put_into_a_text():
    assert found('x = """a\nb"""', "F17", line=1) == ()
    assert found("x = 1 + \\\n 2", "F17", line=1) == ()


def test_errors_can_not_be_ignored():
    assert found("x = df.rank()", "F5", severity="error") == ()


def test_a_misspelt_tag_is_mended():
    (fix,) = found("p = m.predict(X)", "N2", severity="error", tags=("predcit", "mine"))
    assert fix.tags == ("mine", "predict")
    assert fix.source is None
