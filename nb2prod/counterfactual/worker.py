"""The process beside the build that runs the notebook again: `python -m nb2prod.counterfactual.worker JOB`.

A JSON line of standard input asks (`find`, or `confirm` with rows), and names the file of the answer; a line of standard output says that it
is there. It yields to the build, which has its own work to do meanwhile, and ends with its standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod.startup import skip_iri_syntax

if TYPE_CHECKING:
    from nb2prod.counterfactual.runs import Runs

_YIELDING = 5


def main() -> None:
    """Answer what is asked until standard input ends."""
    skip_iri_syntax()
    from nb2prod.counterfactual.job import read
    from nb2prod.counterfactual.runs import Runs

    out, sys.stdout = sys.stdout, sys.stderr
    signal.signal(signal.SIGTERM, _stop)
    with contextlib.suppress(OSError):
        os.nice(_YIELDING)
    runs = Runs(read(Path(sys.argv[1])))
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = _answer(runs, asked)
        except Exception as problem:  # noqa: BLE001 - the build says that this kind is missing, and why
            answer = {"failed": f"{type(problem).__name__}: {problem}", "traceback": traceback.format_exc()[-3000:]}
        Path(asked["answer"]).write_text(json.dumps(answer), encoding="utf-8")
        out.write("done\n")
        out.flush()


def _answer(runs: Runs, asked: dict[str, Any]) -> dict[str, Any]:
    from nb2prod.counterfactual.cases import Changed

    if asked["op"] == "confirm":
        return {"confirmed": runs.confirm([Changed(**row) for row in asked["rows"]])}
    return runs.find().to_json()


def _stop(*_: object) -> None:
    """The build has ended: the kernel is to end too."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
