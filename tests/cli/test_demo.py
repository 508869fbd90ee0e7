"""The demo runs from any folder, says what it does, and leaves nothing behind."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from nb2prod.cli import demo, main

TOKEN = "demo"


@pytest.mark.slow
def test_the_demo_builds_proves_serves_and_asks_and_leaves_nothing(folder, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "nb2prod", "demo", "breast_cancer", "--json"],
        env={**os.environ, "TMPDIR": str(scratch)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["equal"] is True
    assert document["answer"]["predictions"] == document["expected"]
    assert len(document["rows"]) == 3
    assert list(folder.iterdir()) == []
    assert [path.name for path in scratch.iterdir() if "nb2prod" in path.name] == []
    assert not (tmp_path / "home").exists()


def test_an_example_is_taken_whose_libraries_are_here(monkeypatch, capsys):
    assert demo._chosen(None).stem == "flight_delay"
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "matplotlib" else found(name))
    assert demo._chosen(None).stem == "breast_cancer"
    assert "needs matplotlib" in capsys.readouterr().err


def test_an_unknown_example_names_those_that_there_are(folder, capsys):
    assert main(["demo", "flights"]) == 2
    assert "flight_delay" in capsys.readouterr().err
    assert main(["demo", "--lab-option", "--no-browser"]) == 2
    assert "Add --notebook" in capsys.readouterr().err


def test_what_is_in_the_folder_already_stays(tmp_path):
    path = demo._copied(demo._chosen("flight_delay"), tmp_path / "mine")
    path.write_text("{}")
    (tmp_path / "mine" / "data" / "planes.csv.gz").unlink()
    again = demo._copied(demo._chosen("flight_delay"), tmp_path / "mine")
    assert again.read_text() == "{}"
    assert (tmp_path / "mine" / "data" / "planes.csv.gz").is_file()


def test_an_example_is_copied_with_the_tables_that_it_reads(folder, capsys):
    assert main(["demo", "breast_cancer", "--copy"]) == 0
    assert [path.name for path in (folder / "nb2prod-demo").iterdir()] == ["breast_cancer.ipynb"]
    assert main(["demo", "flight_delay", "--copy", "--folder", "flights"]) == 0
    names = {path.name for path in (folder / "flights" / "data").iterdir()} - {"README.md"}
    assert names == {"flights.csv.gz", "planes.csv.gz", "weather.csv.gz"}
    assert capsys.readouterr().out.splitlines()[-1] == "flights/flight_delay.ipynb"


def test_a_copy_made_again_from_its_own_folder_is_found_there(folder, monkeypatch):
    assert main(["demo", "breast_cancer", "--copy"]) == 0
    monkeypatch.chdir(folder / "nb2prod-demo")
    assert main(["demo", "breast_cancer", "--copy"]) == 0
    assert [path.name for path in Path().iterdir()] == ["breast_cancer.ipynb"]


@pytest.fixture
def lab(folder):
    """JupyterLab as `demo --notebook` starts it; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--allow-root"]
    command = [sys.executable, "-m", "nb2prod", "demo", "--notebook", *(f"--lab-option={item}" for item in options)]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stderr=log, stdout=log, start_new_session=True) as running,
    ):
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(running.pid, signal.SIGTERM)


def test_the_notebook_opens_in_jupyterlab_with_its_data(lab, folder):
    def asked(path):
        request = urllib.request.Request(f"{lab}{path}", headers={"Authorization": f"token {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    deadline = time.monotonic() + 60
    while True:
        try:
            listed = asked("/api/contents/")
            break
        except OSError:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.3)
    assert "flight_delay.ipynb" in {item["name"] for item in listed["content"]}
    assert (folder / "nb2prod-demo" / "data" / "flights.csv.gz").is_file()
    assert asked("/nb2prod/version")
