"""Progress goes to standard error: lines for a log, a bar over the cells for a terminal."""

import io
import sys

import pytest

from nb2prod.cli.progress import PlainProgress, TerminalProgress, shown
from nb2prod.progress import NoProgress, TimedProgress


def run(progress):
    with progress as told:
        told.stage("record")
        for cell in range(1, 9):
            told.cell(cell, 8)
        told.message("half way [to it]")
        told.stage("prove")


def test_plain_lines_at_each_quarter(capsys):
    run(PlainProgress())
    shown_ = capsys.readouterr()
    assert shown_.out == ""
    lines = shown_.err.splitlines()
    assert lines[:4] == [f"record: {done} of 8 cells" for done in (2, 4, 6, 8)]
    assert lines[4] == "half way [to it]"
    assert lines[5].startswith("record: done in ")
    assert lines[6].startswith("prove: done in ")


def fails(progress):
    with progress as told:
        told.stage("plan")
        raise ValueError("no")


def test_plain_says_where_it_stopped(capsys):
    with pytest.raises(ValueError, match="no"):
        fails(PlainProgress())
    assert capsys.readouterr().err.startswith("plan: stopped after ")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_and_finished_stages(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    progress = shown()
    assert isinstance(progress, TerminalProgress)
    run(progress)
    text = terminal.getvalue()
    assert "record" in text
    assert "half way [to it]" in text
    assert text.count("✓") >= 2


def test_times_of_stages_are_kept():
    timed = TimedProgress(NoProgress())
    timed.stage("a")
    timed.stage("b")
    timed.stage("a")
    timed.finish()
    assert list(timed.seconds) == ["a", "b"]
    assert all(value >= 0 for value in timed.seconds.values())
