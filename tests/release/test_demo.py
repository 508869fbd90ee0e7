"""The demo of deploying does what it says, with real Bentos."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nb2prod.release.running import proxy

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_demo_of_deploying_runs_to_its_end_and_leaves_nothing(tmp_path):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        ["bash", str(ROOT / "docs" / "deploy_demo.sh")],
        env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout
    assert text.count("Proved: cancer:") == 2
    assert text.count("is serving at http://127.0.0.1:") == 3  # deployed, deployed again, rolled back
    assert '{"status":"ready"}' in text
    assert "kept values\n  ~ clf" in text
    assert "rollback" in text.split("WHAT")[1]
    assert "is stopped" in text
    if proxy.installed() is None:
        assert "s without an answer" in text + done.stderr
    assert list(tmp_path.iterdir()) == []
    assert (
        str(tmp_path) not in subprocess.run(["ps", "-wweo", "args"], capture_output=True, text=True, check=True).stdout
    )
