"""Progress goes to standard error: lines for a log, a bar over the cells for a terminal."""

import io
import sys
from types import SimpleNamespace

import pytest

from nb2prod import durations, progress
from nb2prod.cli.progress import PlainProgress, TerminalProgress, shown
from nb2prod.parity.service import Service
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
    terminal_progress = shown()
    assert isinstance(terminal_progress, TerminalProgress)
    run(terminal_progress)
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


class Told(NoProgress):
    def __init__(self):
        self.messages = []

    def message(self, text):
        self.messages.append(text)


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now.seconds)
    return now


@pytest.mark.parametrize(
    ("pace", "total", "told"),
    [
        (0.5, 100, ["about 45 s more for the other cells, at this pace"]),
        (0.1, 30, []),
        (10, 100, ["about 15 min more for the other cells, at this pace"]),
        (4, 5, ["about 8 s more for the other cells, at this pace"]),
        (9, 3, []),
        (9, 1, []),
    ],
    ids=["long", "short", "very long", "few", "three", "one"],
)
def test_a_long_stage_is_estimated_after_its_first_tenth(pace, total, told, clock):
    inner = Told()
    timed = TimedProgress(inner)
    timed.stage("record")
    for done in range(1, total + 1):
        clock.seconds += pace
        timed.cell(done, total)
        if 10 * done < total or done < 3:
            assert inner.messages == []
    assert inner.messages == told


def test_what_it_took_the_last_time_is_said_at_once(clock):
    inner = Told()
    timed = TimedProgress(inner, {"record": 42.4, "package": 1.0})
    for stage in ("record", "package", "prove"):
        timed.stage(stage)
    assert inner.messages == ["record: about 40 s, as the last time"]


def test_durations_are_kept_by_name_and_the_oldest_are_forgotten(monkeypatch, tmp_path):
    monkeypatch.setenv("NB2PROD_HOME", str(tmp_path))
    assert durations.last("book") == {}
    durations.keep("book", {"record": 1.26, "prove": 20})
    assert durations.last("book") == {"record": 1.3, "prove": 20.0}
    for number in range(durations._MOST):
        durations.keep(f"other{number}", {"record": 1})
    assert durations.last("book") == {}
    (tmp_path / "durations.json").write_text("[broken")
    assert durations.last("other1") == {}
    assert [path.name for path in tmp_path.iterdir()] == ["durations.json"]


def test_a_long_series_of_requests_is_estimated(clock):
    told = []

    def ask(task):
        clock.seconds += 1
        return task

    service = Service(SimpleNamespace(), told.append)
    assert list(service.parallel(ask, range(100), at_once=1)) == list(range(100))
    assert len(told) == 1
    assert "more for these requests" in told[0]
