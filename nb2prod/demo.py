"""`make demo`: build the flight-delay example, prove it, serve it, ask it, and end."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nb2prod.errors import EnvironmentProblem

NOTEBOOK = Path(__file__).parent.parent / "example_notebooks" / "flight_delay.ipynb"
SHOWN = 3
READY_SECONDS = 60


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; its Bento, its record and its store lie in a folder that is gone afterwards."""
    parser = argparse.ArgumentParser(description="Build, prove, serve and ask the flight-delay example.")
    parser.add_argument("notebook", nargs="?", type=Path, default=NOTEBOOK)
    notebook = parser.parse_args(arguments).notebook
    with tempfile.TemporaryDirectory(prefix="nb2prod-demo-") as scratch:
        os.environ["NB2PROD_HOME"] = str(Path(scratch) / "nb2prod")
        os.environ["BENTOML_HOME"] = str(Path(scratch) / "bentoml")
        Path(os.environ["BENTOML_HOME"]).mkdir()
        return _run(notebook)


def _run(notebook: Path) -> int:
    from nb2prod.cli import main as command
    from nb2prod.release import records

    print(f"$ nb2prod build {notebook.name}\n", flush=True)
    code = command(["build", str(notebook)])
    if code:
        return code
    (record,) = records.records()
    _serve(record.bento)
    _summary(record.folder or Path())
    return 0


def _serve(bento: str) -> None:
    """Serve the Bento, send it rows that the notebook predicted, and print what comes back beside the notebook's answers."""
    from nb2prod.parity import cases
    from nb2prod.release import records

    known = cases.read(records.find(bento).path("cases.json"))
    rows = [dict(row) for row in known.rows[:SHOWN]]
    port = _free_port()
    print(f"\n$ nb2prod serve {bento} --port {port}", flush=True)
    command = [sys.executable, "-m", "nb2prod", "serve", bento, "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            _until_ready(f"http://127.0.0.1:{port}/readyz", server)
            url = f"http://127.0.0.1:{port}/predict"
            print(f"\n$ curl {url} -d '{{\"rows\": [...]}}'\n")
            print(json.dumps({"rows": rows}, indent=1))
            started = time.perf_counter()
            answer = _post(url, {"rows": rows})
            spent = 1000 * (time.perf_counter() - started)
            print(json.dumps(answer, indent=1))
            print(f"\nanswered in {spent:.0f} ms; the notebook said {list(known.expected[:SHOWN])}")
        finally:
            os.killpg(server.pid, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise EnvironmentProblem(
        "the demo's server did not become ready", "Run `nb2prod serve` by hand to see what it says."
    )


def _post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def _summary(folder: Path) -> None:
    from nb2prod.parity import report, terminal

    print(f"\n{terminal.text(report.read(folder / 'parity.json'))}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
