"""`explain` prints the page of any code that a message names, wherever the documentation lies."""

import json
import re
from pathlib import Path

import pytest

from nb2prod import pages
from nb2prod.cli import main
from nb2prod.diagnostics import TITLES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("code", TITLES)
def test_every_code_has_an_entry_with_its_title_and_its_remedy(code):
    entry = pages.find(code.lower())
    assert entry.title == f"{code}: {TITLES[code]}"
    assert entry.text.startswith(f"## {code}: ")
    assert "emedy" in entry.text
    assert entry.text.count("\n## ") == 0


def test_the_entry_is_printed_with_its_address_apart(capsys, monkeypatch):
    monkeypatch.setattr(pages, "project_urls", lambda: {"Documentation": "https://docs.example.org/nb2prod/"})
    assert main(["explain", "F5"]) == 0
    shown = capsys.readouterr()
    assert "bins or ranks" in shown.out
    assert '```python bad\n# %% feature\ndf["fare_rank"]' in shown.out
    assert (
        "https://docs.example.org/nb2prod/diagnostics/features/#f5-bins-or-ranks-computed-from-the-batch" in shown.err
    )


def test_as_json(capsys):
    assert main(["explain", "n1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["name"] == "N1"
    assert document["page"] == "diagnostics/notebook.md"


@pytest.mark.parametrize(
    ("wanted", "nearest"), [("F55", "F5"), ("X1", "Did you mean"), ("desisions", "decisions"), ("servise", "service")]
)
def test_what_is_unknown_names_the_nearest(wanted, nearest, capsys):
    assert main(["explain", wanted]) == 2
    said = capsys.readouterr().err
    assert nearest in said
    assert "nb2prod explain" in said


def test_without_a_code_all_are_listed(capsys):
    assert main(["explain"]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^  {code} +{re.escape(title)}$", shown, re.MULTILINE) for code, title in TITLES.items())
    assert "deploying" in shown


def test_every_topic_that_a_message_refers_to_is_there():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "nb2prod").rglob("*.py")]
    told = {name for text in sources for name in re.findall(r"nb2prod explain ([a-z-]+)", text)}
    assert {"decisions", "options"} <= told
    for name in told:
        pages.find(name)


def test_no_link_of_the_site_is_left_in_an_entry():
    for entry in pages.entries().values():
        assert not re.findall(r"\]\((?!https?:)", entry.text)


def test_no_message_names_a_file_of_the_repository():
    """Who has installed a wheel has no docs folder and no README."""
    for path in (ROOT / "nb2prod").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if re.search(r"\b(docs|tests|example_notebooks)/\w", line)]
        quoted = [line for line in lines if re.search(r"""["'][^"'`]*\b(docs|tests|example_notebooks)/""", line)]
        assert quoted == [], path
