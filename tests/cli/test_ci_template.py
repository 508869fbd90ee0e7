"""The workflows that `nb2prod ci-template` writes are valid by the schemas that their systems publish, and do what they say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nb2prod.cli import main
from nb2prod.cli.ci_template import render
from tests.notebooks import load

ROOT = Path(__file__).parents[2]
SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
NAMES = ["a.ipynb", "deep/er/b c.ipynb", 'odd "name" é.ipynb', "a-.ipynb"]


def validated(path, *options):
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *options, str(path)], capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("system", SCHEMAS)
def test_it_is_valid_by_the_published_schema(system, tmp_path):
    file = tmp_path / "workflow.yml"
    file.write_text(render(system, NAMES))
    ok, said = validated(file, "--builtin-schema", SCHEMAS[system])
    assert ok, said
    file.write_text(render(system, NAMES).replace("steps:", "stepps:").replace("script:", "skript:"))
    assert not validated(file, "--builtin-schema", SCHEMAS[system])[0], "the schema does not look"


def test_each_notebook_is_built_proved_and_kept_under_a_name_of_its_own():
    job = yaml.safe_load(render("github", NAMES))["jobs"]["prove"]
    entries = job["strategy"]["matrix"]["include"]
    assert [entry["notebook"] for entry in entries] == NAMES
    assert len({entry["name"] for entry in entries}) == len(NAMES)
    assert not any(set(entry["name"]) & set('/\\:"<>|*? ') for entry in entries)
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    assert 'nb2prod check "$NOTEBOOK"' in commands
    assert 'nb2prod build "$NOTEBOOK" --json' in commands
    assert 'nb2prod gate "' in commands
    # A notebook's name reaches the shell as a variable only.
    assert "${{" not in commands
    report = next(step for step in job["steps"] if step.get("name") == "Keep the report")
    assert report["if"] == "always()"
    assert yaml.safe_load(render("gitlab", NAMES))["nb2prod"]["artifacts"]["when"] == "always"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    load.write("titanic_inline", tmp_path / "models")
    load.write("no_predict_cell", tmp_path)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path / "models")
    return tmp_path


def test_it_is_written_where_the_system_looks_for_the_notebooks_that_are_tagged(repository, capsys):
    assert main(["ci-template", "github", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    written = repository / ".github" / "workflows" / "nb2prod.yml"
    assert told["file"] == str(written)
    assert told["notebooks"] == ["models/titanic_inline.ipynb"]
    assert written.read_text() == told["text"]


def test_a_file_that_is_there_is_left_alone(repository, capsys):
    (repository / ".gitlab-ci.yml").write_text("mine: {script: [ls]}\n")
    assert main(["ci-template", "gitlab"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (repository / ".gitlab-ci.yml").read_text() == "mine: {script: [ls]}\n"
    assert main(["ci-template", "gitlab", "--force"]) == 0
    assert "nb2prod build" in (repository / ".gitlab-ci.yml").read_text()


def test_standard_output_writes_no_file(repository, capsys):
    assert main(["ci-template", "github", "--output", "-"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["name"] == "nb2prod"
    assert not (repository / ".github").exists()


def test_without_a_tagged_notebook_it_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["ci-template", "github"]) == 2
    assert "no notebook" in capsys.readouterr().err
    assert main(["ci-template", "github", "absent.ipynb"]) == 2
    assert "there is no notebook absent.ipynb" in capsys.readouterr().err


def test_the_hook_is_valid_and_checks_several_notebooks_at_once(repository, capsys):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {"id", "name", "entry", "language", "types"} <= set(hook)
    command, *arguments = hook["entry"].split()
    assert command == "nb2prod"
    files = ["titanic_inline.ipynb", "../no_predict_cell.ipynb"]
    assert main([*arguments, *files]) == 0  # the untagged one is passed over
    assert "titanic_inline.ipynb" in capsys.readouterr().out
    assert main(["check", *files]) == 1
    load.write("shift_feature", repository)
    assert main([*arguments, *files, "../shift_feature.ipynb", "--json"]) == 1
