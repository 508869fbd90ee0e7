"""Every code has its page, and the examples do what the pages say."""

import ast
import contextlib
import io
import re
import warnings
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from nb2prod.diagnostics import TITLES
from nb2prod.recording.kernel import frozen as operations
from nb2prod.runtime import frozen

FOLDER = Path(__file__).parents[2] / "docs" / "diagnostics"
PAGES = {"F": "features.md", "T": "training.md", "P": "prediction.md", "N": "notebook.md"}
BLOCK = re.compile(r"^```python (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# These say something about rows: the bad example gives half of the rows other features, the good one the same.
BY_ROW = ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F13", "F15", "N14"]
RAISE = {"N4": KeyError}


def section(code):
    text = (FOLDER / PAGES[code[0]]).read_text(encoding="utf-8")
    found = re.search(rf"^## {code}: (.+?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{code} has no section in {PAGES[code[0]]}"
    return found.group(1), found.group(2)


def example(code, kind):
    (source,) = [text for label, text in BLOCK.findall(section(code)[1]) if label == kind]
    return source


def cells(source):
    """The example's cells as (tag, code)."""
    parts = re.split(r"^# %%[ ]?(\w*)\n", source, flags=re.MULTILINE)
    assert parts[0] == "", "an example begins with `# %%`"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def table():
    ((label, source),) = BLOCK.findall((FOLDER / "README.md").read_text(encoding="utf-8"))
    assert label == "table"
    names = {}
    exec(source, names)
    return names


def run(source, names, tags=None):
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for tag, code in cells(source):
            if tags is None or tag in tags:
                exec(compile(code, tag, "exec"), names)
    return names


@pytest.mark.parametrize("code", TITLES)
def test_every_code_has_a_section_under_its_title(code):
    title, text = section(code)
    assert title == TITLES[code]
    assert "**Remedy**" in text


def test_no_section_is_about_an_unknown_code():
    for page in PAGES.values():
        assert set(re.findall(r"^## (\w+): ", (FOLDER / page).read_text(encoding="utf-8"), re.MULTILINE)) <= set(TITLES)


@pytest.mark.parametrize("code", TITLES)
def test_the_good_example_runs(code):
    run(example(code, "good"), table())


@pytest.mark.parametrize("code", TITLES)
def test_the_bad_example_is_what_it_says(code):
    source = example(code, "bad")
    if code == "N3":
        with pytest.raises(SyntaxError):
            ast.parse(source)
    elif code in RAISE:
        with pytest.raises(RAISE[code]):
            run(source, table())
    else:
        run(source, table())


def features_of_half(source):
    """The example's features of every second row, run among all rows and run alone."""
    whole = run(source, table())
    half = dict(whole, df=table()["df"].iloc[::2].reset_index(drop=True))
    run(source, half, tags={"feature"})
    return whole["df"].iloc[::2].reset_index(drop=True), half["df"]


def same(one, other):
    try:
        assert_frame_equal(one, other)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("code", BY_ROW)
def test_the_good_example_answers_row_by_row_and_the_bad_one_does_not(code):
    among_all, alone = features_of_half(example(code, "good"))
    assert_frame_equal(among_all, alone)
    among_all, alone = features_of_half(example(code, "bad"))
    assert not same(among_all, alone)


def test_the_in_place_change_has_no_effect():
    names = run(example("F16", "bad"), table())
    changed = int(pd.__version__.partition(".")[0]) < 3
    assert names["df"]["age"].isna().any() != changed
    assert not run(example("F16", "good"), table())["df"]["age"].isna().any()


def test_shared_rows_are_shared():
    bad, good = (run(example("T5", kind), table()) for kind in ("bad", "good"))
    assert bad["train"].index.intersection(bad["test"].index).size > 0
    assert good["train"].index.intersection(good["test"].index).size == 0


def test_the_target_changes_the_feature():
    for kind, changes in (("bad", True), ("good", False)):
        once, twice = table(), table()
        twice["df"]["survived"] = 1 - twice["df"]["survived"]
        results = [run(example("F12", kind), names)["df"].drop(columns="survived") for names in (once, twice)]
        assert same(*results) is not changes


def test_every_operation_is_in_the_list():
    text = (FOLDER / "frozen-operations.md").read_text(encoding="utf-8")
    listed = set(
        re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `")))
    )
    assert listed == set(frozen.__all__) - {"StateMismatch"}


def test_links_between_pages_lead_somewhere():
    anchors = {
        page.name: {
            re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            for title in re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        }
        for page in FOLDER.glob("*.md")
    }
    for page in FOLDER.glob("*.md"):
        for target, anchor in re.findall(r"\]\((\w[\w-]*\.md)(?:#([\w-]+))?\)", page.read_text(encoding="utf-8")):
            assert target in anchors, f"{page.name} links to {target}"
            assert not anchor or anchor in anchors[target], f"{page.name} links to {target}#{anchor}"


def test_the_reasons_of_the_table_are_documented_codes():
    rules = {rule for rule, _, _ in operations.BATCH_DEPENDENT.values()} | {entry.rule for entry in operations.TABLE}
    assert rules <= set(TITLES)
