"""`serve` becomes BentoML's server for the Bento's folder, on this machine only unless told."""

import os
import socket
import sys

import pytest

from nb2prod.cli import main


@pytest.fixture
def executed(monkeypatch):
    calls = []
    monkeypatch.setattr(os, "execv", lambda path, arguments: calls.append((path, arguments)))
    return calls


def test_a_folder_is_served_by_its_absolute_path(executed, tmp_path, monkeypatch):
    (tmp_path / "bento").mkdir()
    (tmp_path / "bento" / "bento.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert main(["serve", "bento", "--port", str(free())]) == 0
    ((path, arguments),) = executed
    assert path == sys.executable
    assert arguments[1:5] == ["-m", "bentoml", "serve", str(tmp_path / "bento")]
    assert arguments[5:7] == ["--host", "127.0.0.1"]


def test_a_taken_port_is_said_before_anything_starts(executed, tmp_path, capsys):
    (tmp_path / "bento.yaml").write_text("")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", str(tmp_path), "--port", str(port)]) == 2
    assert executed == []
    assert f"port {port}" in capsys.readouterr().err


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
