"""Which captured values a project has: one file each, with the digest that its bytes must have.

Needs no library: the server's own process checks the digests and never loads a value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

FILE = "manifest.json"
SCHEMA = 1


class ArtifactCorrupt(Exception):
    """A file of the artifacts folder is missing or not the one that the manifest describes."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"artifact '{file}' {reason}; take the Bento from where it was built, it was changed since")
        self.file = file
        self.reason = reason


def write(folder: Path, entries: Iterable[Mapping[str, Any]], settings: Mapping[str, Any]) -> None:
    """Write the manifest of these entries, which are as JSON takes them, and of what the notebook had set on its libraries."""
    more = {"settings": dict(settings)} if settings else {}
    text = json.dumps({"schema": SCHEMA, "artifacts": list(entries), **more}, indent=1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> list[dict[str, Any]]:
    """The manifest's entries.

    Raises:
        ArtifactCorrupt: it is missing, unreadable, or written by a newer version.
    """
    return list(_read(folder)["artifacts"])


def settings(folder: Path) -> dict[str, dict[str, Any]]:
    """What the notebook had set on its libraries (see ``library_settings``); raises ``ArtifactCorrupt`` as ``read`` does."""
    return dict(_read(folder).get("settings") or {})


def _read(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        schema, _ = manifest["schema"], manifest["artifacts"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactCorrupt(FILE, f"can't be read ({type(error).__name__})") from error
    if schema != SCHEMA:
        raise ArtifactCorrupt(FILE, f"has schema {schema}, this runtime reads schema {SCHEMA}")
    return manifest


def verify(folder: Path) -> None:
    """Compare every file with its digest in the manifest.

    Raises:
        ArtifactCorrupt: a file is missing or has other bytes.
    """
    for entry in read(folder):
        for item in entry.get("entries") or [entry]:
            verified(folder, item)


def verified(folder: Path, item: Mapping[str, Any]) -> bytes:
    """The bytes of one file; raises ``ArtifactCorrupt`` as ``verify`` does."""
    try:
        data: bytes = (folder / item["file"]).read_bytes()
    except OSError as error:
        raise ArtifactCorrupt(item["file"], "is missing") from error
    if hashlib.sha256(data).hexdigest() != item["sha256"]:
        raise ArtifactCorrupt(item["file"], "has other bytes than the manifest says")
    return data
