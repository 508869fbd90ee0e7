"""Packaging: a project folder becomes a Bento in a staging store, without any network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nb2prod import room
from nb2prod.bento import digest, project
from nb2prod.environments import uv
from nb2prod.errors import EnvironmentProblem

LABEL = "nb2prod"
"""The label by which a Bento is known as one of nb2prod's; its value is the format of the project folder."""
FORMAT = "1"

_SCRIPT = Path(__file__).with_name("packaging_script.py")
_SECONDS = 300


@dataclass(frozen=True)
class BentoSpec:
    """What a Bento is called and what it needs: `requirements` are its pins, taken as they are."""

    name: str
    version: str
    python_version: str
    requirements: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    description: str = "A notebook's model, packaged by nb2prod. Its model card is in the release record."


def build(folder: Path, spec: BentoSpec, stage: Path, python: Path | None = None) -> Path:
    """Package the project `folder` into the store at `stage` and return the Bento's folder, `stage/name/version`.

    `python` is the interpreter whose BentoML does it, of an environment that can import the project; by default the one that runs this. Nothing is resolved or looked up. A whole Bento of that name and version in the staging store is
    returned as it is. Raises `EnvironmentProblem` where BentoML can't package the project, with BentoML's
    own reason, or where the disk refuses.
    """
    target = stage.absolute() / spec.name / spec.version
    if _is_whole(target, spec.version):
        return target
    try:
        stage.mkdir(parents=True, exist_ok=True)
        text = _requirements_text(spec.requirements)
        (folder / "requirements.txt").write_text(text, encoding="utf-8", newline="\n")
        with tempfile.TemporaryDirectory(dir=stage, prefix=".building-") as scratch:
            task = _task(folder, spec, Path(scratch))
            built = _run(task, folder, Path(scratch), python or Path(sys.executable))
            left_out = set(project.content(folder)) - set(project.content(source(built)))
            if left_out:
                raise _failed(task, f"it leaves out {', '.join(sorted(map(str, left_out))[:5])}")
            _place(built, target)
    except OSError as error:
        raise EnvironmentProblem(
            f"the Bento can't be written to {stage}: {room.reason(error)}",
            "Free some room there, or set NB2PROD_HOME to another folder.",
        ) from error
    return target


def _task(folder: Path, spec: BentoSpec, scratch: Path) -> dict[str, object]:
    return {
        "project": str(folder.absolute()),
        "stage": str(scratch / "bentos"),
        "outcome": str(scratch / "outcome.json"),
        "name": spec.name,
        "version": spec.version,
        "description": spec.description,
        "labels": {LABEL: FORMAT, **spec.labels},
        "python_version": spec.python_version,
    }


def _requirements_text(pins: Iterable[str]) -> str:
    """Without BentoML's own line: its packaging adds that, for the version that packages."""
    return "".join(f"{pin}\n" for pin in sorted(set(pins)) if not pin.startswith("bentoml=="))


def _run(task: Mapping[str, object], folder: Path, scratch: Path, python: Path) -> Path:
    environ = {
        **os.environ,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(scratch / "home"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        # BentoML looks for it there, and would install it where it finds none.
        "PATH": os.pathsep.join([str(Path(uv.program()).parent), os.environ.get("PATH", os.defpath)]),
    }
    try:
        done = subprocess.run(
            [str(python), "-c", _SCRIPT.read_text(encoding="utf-8"), json.dumps(task)],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(task, f"it did not end within {_SECONDS} s") from error
    outcome_file = Path(str(task["outcome"]))
    if not outcome_file.is_file():
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise _failed(task, lines[-1].strip() if lines else f"it ended with status {done.returncode}")
    outcome = json.loads(outcome_file.read_text(encoding="utf-8"))
    if "path" not in outcome:
        failure = _failed(task, outcome["error"])
        failure.add_note(outcome["traceback"])
        raise failure
    return Path(outcome["path"])


def _failed(task: Mapping[str, object], reason: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"BentoML can't package {task['name']}:{task['version']}: {reason}",
        f"The project that it was given is in {task['project']}.",
    )


def _place(built: Path, target: Path) -> None:
    """Move the finished Bento to its place in one step, so that none half-written is ever found there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        built.rename(target)
    except OSError:
        if not _is_whole(target, target.name):
            raise
        # Another build of the same content came first.


def _is_whole(folder: Path, version: str) -> bool:
    if not (folder / "bento.yaml").is_file():
        return False
    try:
        return digest.of_bento(folder) == version
    except OSError:
        return False


def source(bento: Path) -> Path:
    """The project folder inside a built Bento."""
    return bento / "src"


def is_project(folder: Path) -> bool:
    """Whether this folder is a project as `project.write` makes them."""
    return (folder / "service.py").is_file() and (folder / project.RUNTIME_PACKAGE).is_dir()
