"""The runtime and the recorder on other Pythons and other versions of pandas, numpy and scikit-learn: their own tests, run there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.matrix.environments import ENVIRONMENTS, Environment, NoInterpreter, python_of

pytestmark = [pytest.mark.matrix, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
TOOL = (3, 11)
"""The first Python that the tool itself runs on: what is the tool's and not the runtime's is tested from there."""
EVERYWHERE = (
    "tests/runtime",
    "tests/frozen",
    "tests/recording/test_rows.py",
    "tests/recording/test_numbering.py",
    "tests/recording/test_guard.py",
)
WITH_THE_TOOL = ("tests/path",)
MIDDLE = "python3.12-pandas2.2"
"""Where the plan is tested too; with `NB2PROD_TEST_MATRIX=whole` it is tested wherever it runs."""
ELSEWHERE = ("tests/runtime/test_page.py",)
"""Needs a browser."""


@pytest.mark.timeout(3600)  # the tests of the plan take a quarter of an hour of a core
@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda e: e.name)
def test_runtime_and_recorder_run_there(environment: Environment, tmp_path: Path) -> None:
    try:
        python = python_of(environment, "tests")
    except NoInterpreter as missing:
        pytest.skip(str(missing))
    chosen = EVERYWHERE
    whole = os.environ.get("NB2PROD_TEST_MATRIX") == "whole"
    if tuple(int(part) for part in environment.python.split(".")) >= TOOL and (whole or environment.name == MIDDLE):
        chosen += WITH_THE_TOOL
    left_out = [f"--ignore={name}" for name in ELSEWHERE]
    options = ["-q", "-p", "no:cacheprovider", "-m", "not slow and not browser", *left_out]
    done = subprocess.run(
        [python, "-m", "pytest", *options, *chosen],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NB2PROD_HOME": str(tmp_path),
            # BentoML asks uv whatever a Bento pins.
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
