"""Packages one project folder with BentoML; its input and its outcome are one JSON document each.

Run by `package` in a process of its own: two builds in one process would give the second Bento the first
one's schema. Its input comes as the first argument, its outcome goes to the file named there.
"""

from __future__ import annotations

import json
import sys
import traceback
from pathlib import Path
from typing import Any


def build(task: dict[str, Any]) -> str:
    """Build into the staging store; returns the Bento's folder."""
    import bentoml
    from bentoml._internal.bento import BentoStore

    stage = Path(task["stage"])
    stage.mkdir(parents=True, exist_ok=True)
    bento = bentoml.bentos.build(
        "service:Service",
        name=task["name"],
        version=task["version"],
        description=task["description"],
        labels=task["labels"],
        build_ctx=task["project"],
        include=["*"],
        exclude=["__pycache__/", "*.pyc", "/requirements.txt"],
        # Not as a file: BentoML refuses one below a hidden folder, and a user's data folder usually is below one.
        python={
            "packages": (Path(task["project"]) / "requirements.txt").read_text().split("\n")[:-1],
            "lock_packages": False,
        },
        docker={"python_version": task["python_version"]},
        _bento_store=BentoStore(stage),
    )
    return str(bento.path)


def reason(error: BaseException) -> str:
    """The error in one line; where the service can't be imported, what its import raised at first."""
    if type(error).__name__ == "ImportServiceError":
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__ or error
    return " ".join(f"{type(error).__name__}: {error}".split())


def main() -> None:
    """Read the task, build, and write what came of it."""
    task = json.loads(sys.argv[1])
    try:
        outcome = {"path": build(task)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller words it
        outcome = {"error": reason(error), "traceback": traceback.format_exc()}
    Path(task["outcome"]).write_text(json.dumps(outcome), encoding="utf-8")


main()
