"""What nb2prod keeps and nobody needs any more: old releases, leftovers of builds that were killed, caches."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nb2prod import home
from nb2prod.bento import store
from nb2prod.environments import sizes
from nb2prod.errors import InputError
from nb2prod.release import environments, records
from nb2prod.release.gates import decisions
from nb2prod.release.running import places
from nb2prod.release.running.ledger import Ledger

_OLD_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Item:
    """Something to remove: what it is, its folders, and how many bytes they hold."""

    what: str
    name: str
    folders: tuple[Path, ...]
    bytes: int


def found(keep: int) -> tuple[Item, ...]:
    """What may go, if the newest `keep` releases of each name stay, with what is live or previous anywhere, or in an environment."""
    needed = _needed()
    return tuple(item for part in (_releases(keep, needed), _copies(), _environments(), _leftovers()) for item in part)


def remove(items: tuple[Item, ...]) -> int:
    """Remove them; returns the bytes that are free again. What can't be removed stays, and is not counted."""
    freed = 0
    for item in items:
        if item.what == "release":
            with contextlib.suppress(InputError):
                records.remove(records.find(item.name))
            store.remove(item.name)
        for folder in item.folders:
            shutil.rmtree(folder, ignore_errors=True)
        freed += item.bytes if not any(folder.exists() for folder in item.folders) else 0
    return freed


def _needed() -> frozenset[str]:
    return frozenset(
        f"{item.release}:{version}"
        for item in Ledger().placements()
        for version in (item.live, item.previous, item.rollout.version if item.rollout else None)
        if version is not None
    ) | frozenset(decisions.placed())


def _releases(keep: int, needed: frozenset[str]) -> Iterator[Item]:
    seen: dict[str, int] = {}
    for release in records.records():  # the newest first of each name
        seen[release.name] = seen.get(release.name, 0) + 1
        if seen[release.name] <= keep or release.bento in needed:
            continue
        folders = [release.folder] if release.folder else []
        with contextlib.suppress(InputError):
            folders.append(store.find(release.bento).folder)
        images = home.home() / "images" / release.name / release.version
        yield _item("release", release.bento, [*folders, *([images] if images.is_dir() else [])])


def _copies() -> Iterator[Item]:
    """Bentos that a deployment no longer serves or goes back to."""
    for item in Ledger().placements():
        kept = {item.live, item.previous, item.rollout.version if item.rollout else None}
        root = places.folder(item.name) / "bentos"
        for folder in sorted(root.iterdir()) if root.is_dir() else ():
            if folder.name not in kept:
                yield _item("copy of a deployment", f"{item.name}: {folder.name}", [folder])


def _environments() -> Iterator[Item]:
    """Made environments that no Bento needs, and that no build used for a day."""
    for item in environments.unused():
        if time.time() - item.used > _OLD_SECONDS:
            yield _item("served environment", item.key, [item.folder])


def _leftovers() -> Iterator[Item]:
    for what, root in (("unfinished build", home.home() / "staging"), ("fetched packages", home.home() / "wheels")):
        if not root.is_dir():
            continue
        for folder in [root] if what == "fetched packages" else sorted(root.iterdir()):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _OLD_SECONDS:
                    yield _item(what, folder.name, [folder])


def _item(what: str, name: str, folders: list[Path]) -> Item:
    return Item(what, name, tuple(folders), sum(map(sizes.freed, folders)))
