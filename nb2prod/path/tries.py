"""The process that tries staged modules: the kernel's own Python, clean, started early so that its imports cost no time."""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from nb2prod.environments.served import ServedEnvironment
from nb2prod.errors import EnvironmentProblem, Nb2ProdError
from nb2prod.path import path_modules

if TYPE_CHECKING:
    from nb2prod.recording.trace import Recording

SECONDS = 900


@dataclass(frozen=True)
class Description:
    """reference.json and examples.json of a Bento, and the top-level modules that a clean process had `loaded` when it answered, the `loose` ones of no package."""

    reference: dict[str, Any]
    examples: dict[str, Any]
    loaded: tuple[str, ...]
    loose: tuple[str, ...]


class TrialTraceback(Exception):
    """What the process that tries said of its failure, for whoever asks for a traceback."""


class Tries:
    """Runs the trial of one project; a context manager, the process ends with it.

    It runs in `environment`, in which the service is tried.
    """

    def __init__(self, recording: Recording, project: Path, environment: ServedEnvironment) -> None:
        self._recording, self._project, self.environment = recording, project, environment
        self._process: subprocess.Popen[str] | None = None
        self._said: IO[str] | None = None
        self._heard = b""

    def __enter__(self) -> Self:
        links = path_modules.linked(self._recording.folder)
        paths = [
            str(self._project),
            str(self._recording.notebook.path.parent),
            *([str(links)] if links.is_dir() else []),
        ]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONNOUSERSITE": "1",
            # Small batches: more threads only wait for each other.
            "OMP_NUM_THREADS": "1",
        }
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
        script = Path(__file__).parent / "trial" / "__main__.py"
        self._process = subprocess.Popen(
            [str(self.environment.python), "-X", "utf8", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment,
            cwd=self._recording.notebook.path.parent,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        if self._said is not None:
            self._said.close()

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Try the project as it is staged now. Raises `Nb2ProdError` where the trial itself fails."""
        ask = self._recording.folder / "job.json"
        ask.write_text(json.dumps(job))
        self._begin({"op": "try", "job": str(ask)}, "trial.json")
        return self._answer("trial.json")

    def describe(self, signature: Mapping[str, Any], prediction: str, *, own_class: bool) -> Description:
        """What a Bento of the project, as it was tried last, says of its fields; `prediction` is the prediction's name.

        `own_class` says that the predictions are of a class of the notebook's.
        """
        ask = self._recording.folder / "describe.json"
        ask.write_text(json.dumps({"signature": dict(signature), "name": prediction, "own_class": own_class}))
        self._begin({"op": "describe", "job": str(ask)}, "described.json")
        found = self._answer("described.json")
        return Description(found["reference"], found["examples"], tuple(found["loaded"]), tuple(found["loose"]))

    def begin_edges(self) -> None:
        """Have the edge cases of the project, as it was tried last, made meanwhile."""
        self._begin({"op": "edges"}, "edges.json")

    def edges(self) -> list[dict[str, Any]]:
        """The edge cases that were begun, as cases.json has them; waits for them."""
        found: list[dict[str, Any]] = self._answer("edges.json")["edges"]
        return found

    def begin_outcomes(self, job: Mapping[str, Any]) -> None:
        """Have what was true of the predicted rows worked out, after the edge cases."""
        ask = self._recording.folder / "outcomes_job.json"
        ask.write_text(json.dumps(job))
        self._begin({"op": "outcomes", "job": str(ask)}, "outcomes.json")

    def outcomes(self) -> dict[str, Any]:
        """The outcomes that were begun, as `evaluation` reads them; waits for them. To be asked after the edge cases."""
        found: dict[str, Any] = self._answer("outcomes.json")["outcomes"]
        return found

    def _begin(self, request: dict[str, Any], name: str) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise Nb2ProdError("the trial was not started")
        answer = self._recording.folder / name
        answer.unlink(missing_ok=True)
        try:
            process.stdin.write(json.dumps({**request, "answer": str(answer)}) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it is dead already; what it said is told with the answer

    def _answer(self, name: str) -> dict[str, Any]:
        answer = self._recording.folder / name
        if self._process is None or self._process.stdout is None:
            raise Nb2ProdError("the trial was not started")
        if not self._announced(self._process.stdout.fileno()) or not answer.exists():
            raise _failure({"failed": "its process ended"}) from TrialTraceback(self._last_words())
        result: dict[str, Any] = json.loads(answer.read_text())
        if "failed" in result:
            raise _failure(result) from TrialTraceback(result["traceback"])
        return result

    def _announced(self, pipe: int) -> bool:
        """Wait for the next answer's line; False where the process has ended. Two may have come at once, so nothing else reads the pipe."""
        while b"\n" not in self._heard:
            ready, _, _ = select.select([pipe], [], [], SECONDS)
            if not ready:
                raise Nb2ProdError(
                    f"trying the serving path took longer than {SECONDS} s", "Predict on fewer rows in the notebook."
                )
            heard = os.read(pipe, 4096)
            if not heard:
                return False
            self._heard += heard
        self._heard = self._heard.partition(b"\n")[2]
        return True

    def _last_words(self) -> str:
        if self._said is None:
            return ""
        self._said.seek(0)
        return self._said.read()[-1500:]


def _failure(result: Mapping[str, Any]) -> Nb2ProdError:
    """The failure of a trial in words: its traceback shows code that is not the user's."""
    if module := result.get("missing"):
        return EnvironmentProblem(
            f"the served code imports {module!r}, which no package that is installed for the kernel says that it has",
            f"Install what has {module!r} as a package, or put its Python file beside the notebook: from there it goes into the Bento.",
        )
    return Nb2ProdError(
        f"the serving path could not be tried: {result['failed']}",
        "Run the command again with --debug: it shows where.",
    )
