"""The tutorial does what it says: its blocks are run, in their order, in an empty folder."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from nb2prod.cli.app import app

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python|text)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
LINES = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("nb2prod ")])
def test_each_command_exists_with_its_options(line):
    name, *arguments = shlex.split(line)[1:]
    context = click.Context(app.commands[name], info_name=name, resilient_parsing=True)
    app.commands[name].make_parser(context).parse_args(arguments)


@pytest.mark.slow
def test_the_tutorial_runs_from_its_beginning_to_its_end(tmp_path):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NB2PROD_HOME": str(tmp_path / "home"),
        "BENTOML_HOME": str(tmp_path / "bentoml"),
    }
    here, said = tmp_path, ""
    shown = [text.replace("…", "").strip() for kind, text in BLOCKS if kind == "text"]
    try:
        for kind, text in BLOCKS:
            if kind == "python":
                said += run([sys.executable, "-c", text], here, environment)
            for line in text.splitlines() if kind == "sh" else ():
                if line.startswith("cd "):
                    here = here / line.removeprefix("cd ")
                else:
                    said += run(shlex.split(line), here, environment)
    finally:
        subprocess.run(
            [sys.executable, "-m", "nb2prod", "stop", "breast_cancer", "--forget"], env=environment, check=False
        )
    for expected in shown:
        assert re.search(re.escape(expected).replace(r"\ ", r"[\w:, ]*"), said.replace("\n", " ")), expected
    assert "mean radius expected a number, got a string" in said
    assert (here / "breast_cancer-client" / "breast_cancer_client").is_dir()
    assert (here / "nb2prod.toml").is_file()


def run(command, folder, environment):
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
