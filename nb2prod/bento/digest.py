"""The version of a Bento: a digest of what it serves and of the environment that it pins."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from nb2prod.bento import project

LENGTH = 16


def digest(folder: Path, requirements: Iterable[str]) -> str:
    """The version for this project folder and these pins: 16 lowercase hexadecimal digits.

    It depends on the files' names and bytes and on the set of pins, and on nothing else: not on times,
    permissions, the folder's path, the order of the pins, byte-code caches, nor on what BentoML writes
    while packaging. Model card, executed notebook and `bento.yaml` lie outside `src`, so outside this.
    """
    total = hashlib.sha256(b"nb2prod bento 1\n")
    for path in project.content(folder):
        _add(total, path.as_posix().encode(), (folder / path).read_bytes())
    for pin in sorted(set(requirements)):
        _add(total, b"requirement", pin.encode())
    return total.hexdigest()[:LENGTH]


def of_bento(folder: Path) -> str:
    """The same digest, computed from a built Bento's folder: equal to its version unless it was altered."""
    text = (folder / "env" / "python" / "requirements.txt").read_text(encoding="utf-8")
    return digest(folder / "src", [line for line in text.splitlines() if line.strip()])


def _add(total: hashlib._Hash, name: bytes, data: bytes) -> None:
    # Lengths first: no two different lists of files give the same stream.
    total.update(b"%d %d\n" % (len(name), len(data)))
    total.update(name)
    total.update(data)
