"""`doctor` says what works and what to do; `completion` completes in a real shell; `open` finds what there is to see."""

import json
import os
import shutil
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest

from nb2prod import doctor
from nb2prod.cli import main
from nb2prod.diagnostics import TITLES
from tests.cli.books import GOOD, save


@pytest.fixture
def states(folder, capsys):
    def run(*arguments):
        code = main(["doctor", "--json", *arguments])
        document = json.loads(capsys.readouterr().out)
        assert document["well"] == (code == 0)
        return {item["part"]: item for item in document["findings"]}

    return run


def test_a_machine_that_is_well(states):
    found = states()
    for part in ("nb2prod", "libraries", "kernel python3", "nb2prod's home", "BentoML's store", "sidebar"):
        assert found[part]["state"] == "works", found[part]
    assert all(item["remedy"] for item in found.values() if item["state"] != "works")


def test_a_folder_that_can_t_be_written_is_broken(states, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path / "file" / "home"))
    found = states()["nb2prod's home"]
    assert found["state"] == "broken"
    assert "NB2PROD_HOME" in found["remedy"]


def test_little_room_is_broken(states, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**10, 10**10, 10**6))
    assert states()["BentoML's store"]["state"] == "broken"


def test_a_kernel_whose_program_is_gone_is_said(states, monkeypatch, tmp_path):
    spec = tmp_path / "kernels" / "gone"
    spec.mkdir(parents=True)
    argv = [str(tmp_path / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "gone", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found = states()["kernel gone"]
    assert found["state"] == "missing"
    assert "kernelspec remove gone" in found["remedy"]


def test_a_kernel_of_another_python_than_can_be_built_is_said(states, monkeypatch, tmp_path):
    spec = tmp_path / "kernels" / "new"
    spec.mkdir(parents=True)
    # This Python, but for what it says of its version.
    program, here = tmp_path / "python3.99", f"{sys.version_info[0]}.{sys.version_info[1]}"
    program.write_text(f'#!/bin/sh\n\'{sys.executable}\' "$@" | sed \'s/"{here}[.0-9]*"/"3.99"/g\'\n')
    program.chmod(0o755)
    argv = [str(program), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "new", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    found = states()["kernel new"]
    assert found["state"] == "missing"
    assert "too new" in found["found"]


@pytest.mark.parametrize(("kernel", "state"), [("python3", "works"), ("elsewhere", "broken")])
def test_the_kernel_of_a_notebook(kernel, state, states, folder):
    save(folder / "book.ipynb", *GOOD, kernel=kernel)
    found = states("book.ipynb")["book.ipynb"]
    assert found["state"] == state
    assert ("--kernel" in found["remedy"]) == (state == "broken")


def test_a_port_that_is_taken_is_no_harm(states, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(doctor, "_PORT", taken.getsockname()[1])
        found = states()
    assert [item["state"] for part, item in found.items() if part.startswith("port")] == ["missing"]


def test_in_words(folder, capsys):
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "works" in shown
    assert "All that is needed works." in shown


def completed(*words):
    """What bash offers for these words, the last of them to be completed."""
    script = (
        'eval "$(nb2prod completion bash)"\n'
        f"COMP_WORDS=(nb2prod {' '.join(repr(word) for word in words)})\nCOMP_CWORD={len(words)}\n"
        'COMPREPLY=()\n_nb2prod_completion nb2prod\nprintf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=environment)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_bash_completes_commands_options_codes_and_releases(folder, tmp_path):
    (tmp_path / "home" / "releases" / "flight_delay").mkdir(parents=True)
    assert completed("bui") == ["build"]
    assert completed("build", "--para") == ["--parameter"]
    assert completed("show", "fl") == ["flight_delay"]
    assert completed("explain", "T")[:7] == [code for code in TITLES if code.startswith("T")]


@pytest.mark.parametrize(
    ("shell", "marks"), [("zsh", ["#compdef nb2prod", "compdef"]), ("fish", ["complete", "--command nb2prod"])]
)
def test_the_other_shells_scripts_ask_the_same_program(shell, marks, capsys):
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    assert f"_NB2PROD_COMPLETE={shell}_complete" in text
    assert [mark for mark in marks if mark not in text] == []
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n", "-c", text], check=True)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_what_their_scripts_are_answered(shell, folder):
    words = {"COMP_WORDS": "nb2prod explain", "COMP_CWORD": "F1" if shell == "fish" else "2"}
    if shell == "zsh":
        words["COMP_WORDS"] = "nb2prod explain F1"
    done = subprocess.run(
        [sys.executable, "-m", "nb2prod"],
        env={**os.environ, **words, "_NB2PROD_COMPLETE": f"{shell}_complete"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "F17" in done.stdout
    assert TITLES["F17"] in done.stdout


@pytest.fixture
def opened(monkeypatch):
    calls = []
    monkeypatch.setattr(webbrowser, "open", lambda address: calls.append(address) or True)
    return calls


@pytest.fixture
def release(folder, tmp_path):
    place = tmp_path / "home" / "releases" / "book" / "abc"
    place.mkdir(parents=True)
    facts = {
        "schema": 1,
        "name": "book",
        "version": "abc",
        "created": "2026-01-01T00:00:00",
        "notebook": "b",
        "notebook_hash": "",
    }
    (place / "record.json").write_text(json.dumps(facts))
    (place / "parity.html").write_text("<p>")
    return place


def test_the_report_is_opened_where_nothing_runs(release, opened, capsys):
    assert main(["open", "book"]) == 0
    assert opened == [(release / "parity.html").as_uri()]
    assert capsys.readouterr().out.strip() == opened[0]


def test_the_card_is_opened_as_a_page_and_one_that_is_missing_is_said(release, opened, capsys):
    assert main(["open", "book", "--card"]) == 2
    assert "has no card.html" in capsys.readouterr().err
    (release / "card.html").write_text("<p>")
    assert main(["open", "book", "--card"]) == 0
    assert opened == [(release / "card.html").as_uri()]


def test_a_page_that_is_not_there_is_said(release, opened, capsys):
    assert main(["open", "book", "--page"]) == 2
    said = capsys.readouterr().err
    assert "nb2prod deploy book" in said
    assert "--report" in said
    assert opened == []


def test_printing_opens_nothing(release, opened, capsys):
    assert main(["open", "book", "--print"]) == 0
    assert main(["open", "book", "--json"]) == 0
    assert opened == []
    assert '"what": "report"' in capsys.readouterr().out


def test_the_report_of_a_refused_proof_is_opened_too(folder, tmp_path, opened):
    place = tmp_path / "home" / "refused" / "book"
    place.mkdir(parents=True)
    (place / "parity.html").write_text("<p>")
    assert main(["open", "book"]) == 0
    assert opened == [(place / "parity.html").as_uri()]
