"""What can go wrong around a build's proof: a stop in its middle, two builds at once, a disk that takes no more."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.test_faults import FIT, LOAD, PREDICT, environment, left_behind, save

pytestmark = pytest.mark.slow
CELLS = [(LOAD, None), (FIT, "train"), (PREDICT, "predict")]


def building(folder: Path, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "nb2prod", "build", str(folder / "notebook.ipynb"), "--json"],
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def processes_of(folder: Path) -> list[str]:
    """Command lines of processes that have this test's home in their environment or arguments."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in told:
            found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = save(tmp_path, CELLS)
    path.rename(tmp_path / "notebook.ipynb")
    return tmp_path


def test_a_stop_in_the_middle_of_the_proof_leaves_no_server_and_no_bento(notebook: Path) -> None:
    build = building(notebook)
    assert build.stderr is not None
    for line in build.stderr:
        if line.startswith("replay"):
            break
    try:
        assert len(processes_of(notebook)) > 1, "the servers are seen"
        build.send_signal(signal.SIGINT)
        out, said = build.communicate(timeout=60)
    finally:
        build.kill()
    assert build.returncode == 130, said
    assert "Traceback" not in said + out
    assert left_behind(notebook) == []
    deadline = time.monotonic() + 20
    while processes_of(notebook) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_of(notebook) == []


def test_two_builds_of_one_notebook_at_once_give_one_release(notebook: Path) -> None:
    builds = [building(notebook), building(notebook)]
    told = [json.loads(build.communicate(timeout=400)[0]) for build in builds]
    assert [build.returncode for build in builds] == [0, 0]
    assert told[0]["bento"] == told[1]["bento"]
    records = list((notebook / "home" / "releases").glob("*/*/record.json"))
    assert len(records) == 1
    assert list((notebook / "home" / "staging").glob("*")) == []
