"""`init` writes an nb2prod.toml that says what the notebooks show, and changes nothing that is there."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from nb2prod import config
from nb2prod.cli import main
from tests.cli.books import GOOD, save

EXAMPLES = Path(__file__).parents[2] / "example_notebooks"


def uncommented(text):
    """The file as who takes every # away would have it."""
    return re.sub(r"^# (?=\[|[\w.\"-]+ = )", "", text, flags=re.MULTILINE)


def test_what_the_notebook_shows_is_written(folder, capsys):
    shutil.copy(EXAMPLES / "flight_delay.ipynb", folder)
    assert main(["init"]) == 0
    assert "flight_delay.ipynb" in capsys.readouterr().out
    text = (folder / "nb2prod.toml").read_text()
    assert tomllib.loads(text) == {"flight_delay": {}}
    shown = tomllib.loads(uncommented(text))["flight_delay"]
    assert shown["raw_table"] == "flights"
    assert shown["target"] == ["arr_delay"]
    assert shown["filters"] == {"9": {"1": "training-only"}}
    assert shown["parameters"]["threshold"] == 0.4
    assert "cell 4, line 1" in text


@pytest.mark.parametrize("name", [path.stem for path in EXAMPLES.glob("*.ipynb")])
def test_every_line_can_be_switched_on(name, folder):
    shutil.copy(EXAMPLES / f"{name}.ipynb", folder)
    assert main(["init"]) == 0
    file = folder / "nb2prod.toml"
    file.write_text(uncommented(file.read_text()))
    options = config.load(folder / f"{name}.ipynb")
    assert options.raw_table is not None
    assert options.serving["workers"] == 1


def test_only_the_notebooks_that_are_missing_are_added(folder, capsys):
    save(folder / "one.ipynb", *GOOD)
    (folder / "nb2prod.toml").write_text('owner = "us"  # mine\n\n[one]\ntarget = ["target"]')
    before = (folder / "nb2prod.toml").read_text()
    assert main(["init"]) == 0
    assert "nothing was changed" in capsys.readouterr().out
    assert (folder / "nb2prod.toml").read_text() == before
    save(folder / "two books.ipynb", *GOOD)
    assert main(["init"]) == 0
    text = (folder / "nb2prod.toml").read_text()
    assert text.startswith(before)
    assert set(tomllib.loads(text)) == {"owner", "one", "two books"}
    assert "Added to" in capsys.readouterr().out


def test_the_owner_is_written_only_when_told(folder):
    save(folder / "one.ipynb", *GOOD)
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "config", "user.email", "ann@example.org"], check=True)
    assert main(["init", "--print"]) == 0
    assert main(["init", "one.ipynb"]) == 0
    text = (folder / "nb2prod.toml").read_text()
    assert '# owner = "ann@example.org"' in text
    (folder / "nb2prod.toml").unlink()
    assert main(["init", "--owner", "team@example.org"]) == 0
    assert tomllib.loads((folder / "nb2prod.toml").read_text())["owner"] == "team@example.org"


def test_printing_writes_nothing(folder, capsys):
    save(folder / "one.ipynb", *GOOD)
    assert main(["init", "--print"]) == 0
    assert "[one]" in capsys.readouterr().out
    assert not (folder / "nb2prod.toml").exists()


def test_as_json(folder, capsys):
    save(folder / "one.ipynb", *GOOD)
    assert main(["init", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["new"] is True
    assert document["notebooks"] == ["one.ipynb"]


def test_nothing_to_begin_with_is_said(folder, capsys):
    assert main(["init"]) == 2
    assert "has no notebook" in capsys.readouterr().err
    save(folder / "plain.ipynb", *[(source,) for source, *_ in GOOD])
    assert main(["init"]) == 2
    assert "nb2prod suggest plain.ipynb --write" in capsys.readouterr().err
    save(folder / "good.ipynb", *GOOD)
    (folder / "nb2prod.toml").write_text("owner = \n")
    assert main(["init"]) == 2
    assert "nb2prod.toml can't be read" in capsys.readouterr().err
