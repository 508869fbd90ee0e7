"""The README tells the truth: its commands exist, the cheap ones print what it shows, its links lead somewhere."""

import json
import re
import shlex
import shutil
import tomllib
from dataclasses import fields
from pathlib import Path

import click
import pandas as pd
import pytest

from nb2prod import config
from nb2prod.cli.app import app, main
from nb2prod.runtime import http
from nb2prod.runtime import options as runtime_options

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "example_notebooks"
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/deploying.md",
    "docs/glossary.md",
    "docs/options.md",
    "docs/service.md",
    "docs/watching.md",
    "SECURITY.md",
]


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands(program):
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.split()[:1] == [program]]


def test_each_make_target_exists():
    makefile = (ROOT / "Makefile").read_text()
    told = [line.split("#")[0].split()[1] for line in commands("make")]
    assert told == ["demo", "test"]
    for target in told:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("line", commands("nb2prod"))
def test_each_command_exists_with_its_options(line):
    name, *arguments = shlex.split(line, comments=True)[1:]
    command = app.commands[name]
    context = click.Context(command, info_name=name, resilient_parsing=True)
    command.make_parser(context).parse_args(arguments)  # raises for an unknown option
    for path in arguments:
        if path.endswith(".ipynb"):
            assert (EXAMPLES / path).is_file()


def test_every_command_of_the_command_line_is_told():
    told = {line.split()[1] for line in commands("nb2prod")}
    assert {name for name, command in app.commands.items() if not command.hidden} <= told | set(
        re.findall(r"`nb2prod ([a-z-]+)", README)
    )


def run(line, capsys, monkeypatch):
    monkeypatch.chdir(EXAMPLES)
    code = main(shlex.split(line)[1:])
    return code, capsys.readouterr().out


def test_the_check_of_the_example_passes(capsys, monkeypatch):
    code, out = run("nb2prod check flight_delay.ipynb", capsys, monkeypatch)
    assert code == 0
    assert "Serving path" in out


def test_the_refusal_is_what_check_prints(capsys, monkeypatch):
    code, out = run("nb2prod check not_servable.ipynb", capsys, monkeypatch)
    (shown,) = blocks("text")
    assert code == 1
    assert (
        shown.split() == out[out.index("error ") : out.index("Kernel: ")].split()
    )  # wherever a terminal wraps its lines


def test_the_served_code_shown_is_the_notebooks_own():
    (shown,) = blocks("python")
    cells = json.loads((ROOT / "example_notebooks" / "flight_delay.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell, lines in re.findall(r"# cell (\d+)\n(.*?)(?=    # cell|\Z)", shown, re.DOTALL):
        own = "".join(cells[int(cell) - 1]["source"])
        for line in lines.splitlines():
            if "captured." not in line and line.strip() != "...":
                assert line.strip() in own


def test_the_request_shown_has_columns_of_the_data_and_the_refusal_is_the_runtimes():
    (line,) = commands("curl")
    words = shlex.split(line)
    (row,) = json.loads(words[words.index("-d") + 1])["rows"]
    columns = pd.read_csv(ROOT / "example_notebooks" / "data" / "flights.csv.gz", nrows=5).columns
    assert set(row) <= set(columns)
    assert "arr_delay" not in row
    good, bad = map(json.loads, blocks("json"))
    assert set(good) == {"predictions", "errors", "model", "request_id"}
    assert http.STATUS_CODES[422] == bad["error"]["code"]


def test_the_options_are_all_there_with_their_flags():
    section = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in row.strip("|").split(" | ")] for row in section.splitlines() if row.startswith("| `")
    ]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row[0])}
    assert told == {item.name for item in fields(config.Options)}
    known = {option for parameter in app.commands["build"].params for option in parameter.opts}
    flags = {flag for row in rows for flag in re.findall(r"`(-{1,2}[\w-]+)`", row[-1])}
    assert flags <= known


def test_the_options_file_can_be_read(tmp_path):
    (text,) = blocks("toml")
    assert tomllib.loads(text)
    notebook = tmp_path / "flight_delay.ipynb"
    shutil.copy(ROOT / "example_notebooks" / "flight_delay.ipynb", notebook)
    (tmp_path / "nb2prod.toml").write_text(text)
    options = config.load(notebook)
    assert options.target == ("arr_delay",)
    assert options.owner


@pytest.mark.parametrize(
    "path", re.findall(r"curl .*?localhost:3000(/\w+)", README) + re.findall(r"`(?:GET |POST )?(/[a-z.]+)`", README)
)
def test_each_endpoint_exists(path):
    source = (ROOT / "nb2prod" / "runtime" / "app.py").read_text()
    assert f'"{path}"' in source


def rows_of(document, heading):
    """The rows of the first table under this heading, as lists of cells without backticks."""
    text = (ROOT / document).read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip().replace("`", "") for cell in row.strip("|").split("|")]
        for row in re.findall(r"^\| .*\|$", text, re.MULTILINE)
    ][1:]


def test_the_limits_of_the_service_are_told_with_their_defaults():
    told = {name: default for name, default, *_ in rows_of("docs/service.md", "Decisions")}
    assert told == {item.name: _shown(item.default) for item in fields(runtime_options.Options)}


def _shown(default):
    if isinstance(default, str):
        return f'"{default}"'
    if isinstance(default, bool):
        return str(default).lower()
    if default == ():
        return "[]"
    return "none" if default is None else f"{default:g}" if isinstance(default, float) else str(default)


def test_each_status_of_the_service_is_told_with_its_code():
    told = {}
    for statuses, codes, *_ in rows_of("docs/service.md", "Errors"):
        told |= dict(zip(map(int, statuses.split(", ")), codes.split(", "), strict=True))
    assert told == http.STATUS_CODES


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_pictures_lead_somewhere(document):
    folder = (ROOT / document).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", (ROOT / document).read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = folder / path if path else ROOT / document
        assert found.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.*)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}, target
