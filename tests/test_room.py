"""A full disk is told from other faults, in whatever words it comes."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from nb2prod import room
from nb2prod.errors import EnvironmentProblem, Nb2ProdError, Refused

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/x")
COPIED = shutil.Error([("a", "b", f"[Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}: 'a' -> 'b'"), ("c", "d", "?")])


def chained(error, cause):
    try:
        raise error from cause
    except type(error) as made:
        return made


FOUND = {
    "an OSError": FULL,
    "a quota": OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
    "a limit of a file's size": OSError(errno.EFBIG, os.strerror(errno.EFBIG)),
    "a folder that could not be copied": COPIED,
    "what came of it": chained(ValueError("no such value"), FULL),
    "another process's last words": Nb2ProdError("it could not be tried", f"Traceback ...\nOSError: {FULL}"),
    "a tool's words": EnvironmentProblem(f"BentoML can't package x: Error: {COPIED}"),
}
LEFT = {
    "another OSError": OSError(errno.EACCES, os.strerror(errno.EACCES)),
    "a defect": ValueError("no such value"),
    "the notebook's own fault": chained(Refused(()), FULL),
    "a problem that names its folder": chained(EnvironmentProblem("it can't be written to /b: no space"), FULL),
}


@pytest.mark.parametrize("name", FOUND)
def test_a_full_disk_is_found(name, tmp_path):
    problem = room.problem(FOUND[name], tmp_path)
    assert problem is not None
    assert str(tmp_path) in problem.message
    assert "NB2PROD_HOME" in problem.hint


@pytest.mark.parametrize("name", LEFT)
def test_other_faults_are_left(name, tmp_path):
    assert room.problem(LEFT[name], tmp_path) is None


def test_whatever_fails_on_a_disk_without_room_is_blamed_on_it(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(1 << 30, 1 << 30, 0))
    assert room.problem(EOFError("marshal data too short"), tmp_path) is not None
    assert room.problem(EOFError("marshal data too short"), Path("/nowhere")) is not None


def test_the_reason_is_a_few_words():
    assert room.reason(FULL) == os.strerror(errno.ENOSPC)
    assert room.reason(COPIED) == os.strerror(errno.ENOSPC)
    assert room.reason(OSError("odd")) == "odd"


def test_words_of_another_process_are_enough(tmp_path):
    room.check(["", "a cell could not be instrumented"], tmp_path)
    with pytest.raises(EnvironmentProblem, match="No space left"):
        room.check(["", f"OSError: {FULL}"], tmp_path)
