"""`make demo`: build the flight-delay example, prove it, serve it, ask it, and end."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).parent.parent / "example_notebooks" / "flight_delay.ipynb"
SHOWN = 3


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
    from nb2prod.bento import store
    from nb2prod.parity import cases
    from nb2prod.parity.server import Server
    from nb2prod.release import records

    known = cases.read(records.find(bento).path("cases.json"))
    rows = [dict(row) for row in known.rows[:SHOWN]]
    print(f"\n$ nb2prod serve {bento}", flush=True)
    with Server(store.folder(bento), hash_seed=0) as server:
        print(f"\n$ curl {server.url}/predict -d '{{\"rows\": [...]}}'\n")
        print(json.dumps({"rows": rows}, indent=1))
        started = time.perf_counter()
        answer = _post(f"{server.url}/predict", {"rows": rows})
        spent = 1000 * (time.perf_counter() - started)
        print(json.dumps(answer, indent=1))
        print(f"\nanswered in {spent:.0f} ms; the notebook said {list(known.expected[:SHOWN])}")


def _post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def _summary(folder: Path) -> None:
    from nb2prod.parity import report, terminal

    print(f"\n{terminal.text(report.read(folder / 'parity.json'))}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
