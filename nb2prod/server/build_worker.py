"""One build in a process of its own: `python -m nb2prod.server.build_worker NOTEBOOK [OPTIONS]`.

Standard output carries one JSON object a line: `{"stage"}`, `{"cells": [done, total]}`, `{"message"}`, and last
`{"result"}` or `{"error"}`. Whatever the libraries print goes to standard error, which is the build's log. The end
of standard input means that the Jupyter server is gone: then the build stops as if it were cancelled.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nb2prod.errors import Cancelled, Nb2ProdError
from nb2prod.startup import skip_iri_syntax

Emit = Callable[[dict[str, Any]], None]


class StreamedProgress:
    """Sends what the pipeline tells, and writes it into the log with the time since the start."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._start = time.monotonic()

    def stage(self, name: str) -> None:
        """A stage begins."""
        self._log(f"{name}")
        self._emit({"stage": name})

    def cell(self, done: int, total: int) -> None:
        """`done` of `total` cells have run."""
        self._log(f"  cell {done} of {total}")
        self._emit({"cells": [done, total]})

    def message(self, text: str) -> None:
        """Something worth a line."""
        self._log(f"  {text}")
        self._emit({"message": text})

    def _log(self, text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self._start:7.1f} s  {text}\n")
        sys.stderr.flush()


def main(arguments: Sequence[str]) -> int:
    """Build the notebook; the exit code is that of `nb2prod build`."""
    emit = _emitter()
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_end_with_the_server, daemon=True).start()
    warnings.simplefilter("ignore")
    skip_iri_syntax()
    try:
        code, last = _build(Path(arguments[0]), json.loads(arguments[1]) if len(arguments) > 1 else {}, emit)
    except (KeyboardInterrupt, Nb2ProdError) as error:
        problem = error if isinstance(error, Nb2ProdError) else Cancelled()
        code, last = problem.exit_code, {"error": problem.to_json()}
    except Exception as error:  # noqa: BLE001 (what comes of a defect must reach the browser in words)
        traceback.print_exc()
        code = 2
        message = f"nb2prod failed where it should not have: {type(error).__name__}: {error}"
        hint = "This is a defect of nb2prod, not of your notebook. The build's log has the details."
        last = {"error": {"code": "internal", "message": message, "hint": hint}}
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    emit(last)
    return code


def _build(path: Path, overrides: dict[str, Any], emit: Emit) -> tuple[int, dict[str, Any]]:
    from nb2prod import config
    from nb2prod.pipeline import build

    result = build(path, config.load(path, overrides), StreamedProgress(emit))
    return 0 if result.bento else 1, {"result": result.to_json()}


def _emitter() -> Emit:
    """Keep standard output for the events; what else is printed, by child processes too, goes to the log."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def emit(event: dict[str, Any]) -> None:
        stream.write(json.dumps(event, ensure_ascii=False, default=str) + "\n")
        stream.flush()

    return emit


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _end_with_the_server() -> None:
    # Read below Python's buffers: a thread inside them at exit would hold their lock.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
