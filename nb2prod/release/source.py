"""Where a release comes from: its notebook's digest and the commit that it lay in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod import git

if TYPE_CHECKING:
    from nb2prod.release.record import ReleaseRecord

ORIGIN = "origin.json"


@dataclass(frozen=True)
class GitState:
    """The commit that was checked out, and whether the notebook differed from it."""

    commit: str
    branch: str | None
    changed: bool


def git_state(notebook: Path) -> GitState | None:
    """The state of the git repository around the notebook; None without one, or without git."""
    commit = git.ask("rev-parse", "HEAD", folder=notebook.parent)
    if commit is None:
        return None
    branch = git.ask("symbolic-ref", "--short", "HEAD", folder=notebook.parent)
    status = git.ask("status", "--porcelain", "--", notebook.name, folder=notebook.parent)
    return GitState(commit, branch or None, bool(status))


def notebook_hash(text: str) -> str:
    """sha256 of what the notebook does: its cells' kinds, tags and sources in order.

    Outputs, execution counts and other metadata, which change with each run, are left out.
    """
    document = json.loads(text)
    cells = [_cell(cell) for cell in document.get("cells", ())]
    return _digest(json.dumps(cells, ensure_ascii=False, sort_keys=True).encode())


def file_hash(path: Path) -> str:
    """sha256 of the file's bytes, as `sha256:...`; raises `OSError`."""
    return _digest(path.read_bytes())


def notebook_changed(release: ReleaseRecord) -> bool | None:
    """Whether the notebook's file does something else than what was built; None where it is not at hand.

    `origin.json` of the record says where it lay; it is of this machine alone, and never exported.
    """
    place = origin(release.folder or Path())
    try:
        return None if place is None else notebook_hash(place.read_text(encoding="utf-8")) != release.notebook_hash
    except (OSError, ValueError, AttributeError):
        return None


def origin(record: Path) -> Path | None:
    """Where the notebook of the record in this folder lay on this machine; None where the record does not say."""
    try:
        return Path(json.loads((record / ORIGIN).read_text(encoding="utf-8"))["notebook"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    source = cell.get("source", "")
    text = "".join(source) if isinstance(source, list) else str(source)
    tags = (cell.get("metadata") or {}).get("tags") or []
    return {"kind": cell.get("cell_type"), "tags": sorted(map(str, tags)), "source": text}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
