"""One build as the server knows it, and the folder that keeps it: `builds/<id>/` under nb2prod's home."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nb2prod import home
from nb2prod.diagnostics import TITLES

FINAL = ("proved", "refused", "cancelled", "failed")
KEPT = 40
_SUMMARY, _OUTCOME, LOG = "build.json", "outcome.json", "log.txt"


@dataclass(frozen=True)
class Stage:
    """A stage that began, and when, in seconds since the build did."""

    name: str
    since: float


@dataclass(frozen=True)
class Build:
    """A build. `state` is one of queued, running, proving, proved, refused, cancelled, failed."""

    id: str
    notebook: str
    """The notebook's absolute path."""
    queued: str
    server: int
    """Process id of the Jupyter server that it belongs to."""
    options: Mapping[str, Any] = field(default_factory=dict)
    state: str = "queued"
    started: str | None = None
    ended: str | None = None
    stages: tuple[Stage, ...] = ()
    cells: tuple[int, int] | None = None
    message: str = ""
    cancelling: bool = False
    bento: str | None = None
    summary: str = ""
    """The outcome in a sentence, once there is one."""

    @property
    def ended_already(self) -> bool:
        """Whether nothing more will come."""
        return self.state in FINAL

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return home.home() / "builds" / self.id

    @property
    def log(self) -> Path:
        """What the build printed."""
        return self.folder / LOG

    def to_json(self, path: str) -> dict[str, Any]:
        """As the browser gets it; `path` is the notebook's, below the server's root."""
        document = asdict(self)
        del document["server"], document["options"]
        return {**document, "notebook": path}

    def outcome(self) -> dict[str, Any] | None:
        """`{"result"}` or `{"error"}` of the worker; None before the end, or where it is lost."""
        with contextlib.suppress(OSError, ValueError):
            document: dict[str, Any] = json.loads((self.folder / _OUTCOME).read_text(encoding="utf-8"))
            return document
        return None


def now() -> str:
    """The time as it is written."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def save(build: Build, outcome: Mapping[str, Any] | None = None) -> None:
    """Write it down, whole or not at all."""
    home.make(build.folder)
    if outcome is not None:
        _write(build.folder / _OUTCOME, outcome)
    _write(build.folder / _SUMMARY, asdict(build))


def stored() -> tuple[Build, ...]:
    """All that were written down and can be read, oldest first; the oldest beyond `KEPT` are removed."""
    found = sorted(_readable(), key=lambda build: (build.queued, build.id))
    for build in [item for item in found if item.ended_already][:-KEPT]:
        shutil.rmtree(build.folder, ignore_errors=True)
        found.remove(build)
    return tuple(found)


def abandoned(build: Build) -> bool:
    """Whether it was left unfinished by a server that is gone."""
    if build.ended_already or build.server == os.getpid():
        return False
    try:
        os.kill(build.server, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


RUNNING = ("environment", "record", "plan", "package")
"""The stages of a build before its proof."""


def advanced(build: Build, event: Mapping[str, Any], seconds: float) -> Build:
    """The build after one of its worker's events."""
    if "stage" in event:
        name = str(event["stage"])
        state = "proving" if name == "prove" else "running" if name in RUNNING else build.state
        return replace(build, state=state, stages=(*build.stages, Stage(name, round(seconds, 1))), message="")
    if "cells" in event:
        done, total = event["cells"]
        return replace(build, cells=(int(done), int(total)))
    return replace(build, message=str(event.get("message", "")))


def finished(build: Build, last: Mapping[str, Any] | None) -> Build:
    """The build after its worker's last word; None for a worker that died without one."""
    if last is None:
        summary = (
            "The build's process ended without an outcome. Its log may say why; too little memory is a common cause."
        )
        return replace(build, state="failed", ended=now(), summary=summary)
    result, error = last.get("result"), last.get("error") or {}
    if result is not None:
        bento = result.get("bento")
        parity = result.get("parity") or {}
        found = f"{parity.get('differences', 0)} answers differ from the notebook's. No Bento was made."
        summary = f"{bento} is proved." if bento else found
        return replace(build, state="proved" if bento else "refused", ended=now(), bento=bento, summary=summary)
    state = {"cancelled": "cancelled", "refused": "refused", "parity": "refused"}.get(str(error.get("code")), "failed")
    summary = "Cancelled; nothing was kept." if state == "cancelled" else str(error.get("message", ""))
    return replace(build, state=state, ended=now(), summary=summary)


def diagnostics_of(outcome: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The diagnostics of an outcome, whichever it was, with the titles of their codes."""
    found = (outcome.get("result") or outcome.get("error") or {}).get("diagnostics") or []
    return [{**item, "title": TITLES.get(item["code"], "")} for item in found]


def _readable() -> Iterator[Build]:
    root = home.home() / "builds"
    for file in root.glob(f"*/{_SUMMARY}"):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            document = json.loads(file.read_text(encoding="utf-8"))
            document["stages"] = tuple(Stage(**item) for item in document["stages"])
            document["cells"] = tuple(document["cells"]) if document["cells"] else None
            yield Build(**document)


def _write(file: Path, document: Any) -> None:
    half = file.with_name(f".{file.name}")
    half.write_text(json.dumps(document, ensure_ascii=False, default=str), encoding="utf-8")
    half.replace(file)
