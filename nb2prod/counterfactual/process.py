"""The build's side of the counterfactual run: a process that begins when the plan is made, and is asked when the proof has come so far."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from nb2prod.counterfactual.cases import Changed, Found, from_json
from nb2prod.counterfactual.job import FirstRun, Job, of_plan
from nb2prod.counterfactual.runs import LEFT_OPEN

if TYPE_CHECKING:
    from nb2prod.config import Options
    from nb2prod.path.serving_path import ServingPath

_PATIENCE = 10.0


def beside(serving: ServingPath, options: Options, first: FirstRun) -> CounterfactualProcess | NotRun:
    """The process for a planned notebook, to be entered; a quick proof has none."""
    if first.quick:
        return NotRun(f"a quick proof does not run the notebook again: {LEFT_OPEN}")
    if not options.counterfactual_limit:
        return NotRun(f"running the notebook again was turned off (counterfactual_limit = 0): {LEFT_OPEN}")
    if serving.prediction.function is not None:
        return NotRun(
            f"{serving.prediction.function.name} predicts from plain values, so no row of a table can be changed: {LEFT_OPEN}"
        )
    return CounterfactualProcess(of_plan(serving, options, first))


class NotRun:
    """Stands for runs that are not made."""

    def __init__(self, why: str) -> None:
        self._found = Found(missing=why)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def found(self) -> Found:
        """Nothing, and why."""
        return self._found

    def confirm(self, rows: Sequence[Changed]) -> list[int] | None:
        """No answer: nothing is run."""
        del rows
        return None


class CounterfactualProcess:
    """A context manager; the process ends with it, whatever it was doing."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._folder = Path(job.folder)
        self._process: subprocess.Popen[str] | None = None
        self._said: IO[str] | None = None
        self._found: Found | None = None

    def __enter__(self) -> Self:
        path = self._folder / "job.json"
        self._job.write(path)
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nb2prod.counterfactual.worker", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=self._folder,
            text=True,
        )
        self._ask({"op": "find"}, "found.json")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is not None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            process.kill()
            process.communicate()
        if self._said is not None:
            self._said.close()

    def found(self) -> Found:
        """What the runs found, without what was not confirmed; waits for them."""
        if self._found is None:
            document = self._answer("found.json")
            self._found = from_json(document) if "failed" not in document else Found(missing=_failed(document))
        return self._found

    def confirm(self, rows: Sequence[Changed]) -> list[int] | None:
        """Which of these rows get the same when fewer others are changed beside them; None where that could not be told."""
        if not rows:
            return []
        self._ask({"op": "confirm", "rows": [asdict(row) for row in rows]}, "confirmed.json")
        confirmed: list[int] | None = self._answer("confirmed.json").get("confirmed")
        if confirmed is not None and self._found is not None:
            refuted = [row for at, row in enumerate(rows) if at not in set(confirmed)]
            kept = tuple(row for row in self._found.rows if row not in refuted)
            self._found = replace(self._found, rows=kept)
        return confirmed

    def _ask(self, request: dict[str, Any], name: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        answer = self._folder / name
        answer.unlink(missing_ok=True)
        with contextlib.suppress(BrokenPipeError):  # it is dead already, which the answer says
            self._process.stdin.write(json.dumps({**request, "answer": str(answer)}) + "\n")
            self._process.stdin.flush()

    def _answer(self, name: str) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        if not self._process.stdout.readline() or not (self._folder / name).exists():
            return {"failed": f"its process ended: {self._last_words()}"}
        document: dict[str, Any] = json.loads((self._folder / name).read_text(encoding="utf-8"))
        return document

    def _last_words(self) -> str:
        if self._said is None:
            return ""
        self._said.seek(0)
        lines = self._said.read().strip().splitlines()
        return lines[-1] if lines else "it said nothing"


def _failed(document: dict[str, Any]) -> str:
    return f"the notebook could not be run again ({document['failed']}): {LEFT_OPEN}"
