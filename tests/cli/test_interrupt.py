"""Ctrl-C and a stop from outside: exit code 130, a word, no traceback, and what was half-made is cleared up."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from tests.cli.books import GOOD, save

SCRIPT = textwrap.dedent(
    """
    import sys, time, types

    def build(path, options, progress, *, quick=False):
        progress.stage("record")
        try:
            print("started", file=sys.stderr, flush=True)
            time.sleep(60)
        finally:
            print("cleared", file=sys.stderr, flush=True)

    stand_in = types.ModuleType("nb2prod.pipeline")
    stand_in.build = build
    sys.modules["nb2prod.pipeline"] = stand_in
    from nb2prod.cli import main
    sys.exit(main())
    """
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "stop"])
@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["words", "json"])
def test_an_interrupted_build(tmp_path, number, flags):
    path = save(tmp_path / "book.ipynb", *GOOD)
    running = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "build", str(path), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NB2PROD_HOME": str(tmp_path / "home")},
    )
    with running:
        assert "started" in running.stderr.readline()
        running.send_signal(number)
        out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "cleared" in err
    assert "Traceback" not in err
    if flags:
        assert json.loads(out)["error"]["code"] == "cancelled"
    else:
        assert "interrupted: nothing was kept" in err
