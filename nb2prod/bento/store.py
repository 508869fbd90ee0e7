"""The user's Bento store: which of its Bentos are nb2prod's, where they are, and how a proved one gets in.

Read as files, which is what BentoML's store is: asking BentoML itself takes a second of imports for
each `list` and `show`. A test holds this to what BentoML finds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from nb2prod import room
from nb2prod.bento.package import LABEL
from nb2prod.errors import EnvironmentProblem, InputError

_LATEST = "latest"


@dataclass(frozen=True)
class StoredBento:
    """A Bento of nb2prod's in the user's store."""

    name: str
    version: str
    folder: Path
    created: datetime
    labels: dict[str, str]

    @property
    def tag(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"


def store_folder() -> Path:
    """Where BentoML keeps Bentos: `BENTOML_HOME` or `~/bentoml`, then `bentos`. It may not exist yet."""
    home = os.environ.get("BENTOML_HOME")
    return (Path(home).expanduser().absolute() if home else Path.home() / "bentoml") / "bentos"


def bentos(store: Path | None = None) -> tuple[StoredBento, ...]:
    """All Bentos of nb2prod's in the store, by name, the newest first of each; other Bentos are left out."""
    root = store or store_folder()
    if not root.is_dir():
        return ()
    found = [item for name in sorted(root.iterdir()) if name.is_dir() for item in _versions(name)]
    return tuple(sorted(found, key=lambda item: (item.name, -item.created.timestamp(), item.version)))


def find(tag: str, store: Path | None = None) -> StoredBento:
    """The Bento of this tag: `name:version`, `name` or `name:latest` for the last one promoted, or a
    version's unique beginning.

    Raises `InputError`, with the nearest that there is, where no Bento or several match.
    """
    root = store or store_folder()
    name, _, wanted = tag.partition(":")
    versions = _versions(root / name) if _is_plain(name) and (root / name).is_dir() else []
    if not versions:
        raise InputError(f"there is no Bento named {name!r} in {root}", _names_hint(root))
    if wanted in ("", _LATEST):
        return _latest(root / name, versions)
    matches = [item for item in versions if item.version == wanted]
    matches = matches or [item for item in versions if item.version.startswith(wanted)]
    if len(matches) == 1:
        return matches[0]
    listed = ", ".join(item.version for item in matches or versions)
    problem = f"{len(matches)} versions of {name!r} begin with" if matches else f"{name!r} has no version"
    raise InputError(f"{problem} {wanted!r}", f"Versions: {listed}.")


def folder(tag: str, store: Path | None = None) -> Path:
    """The folder of the Bento of this tag; raises as `find` does."""
    return find(tag, store).folder


def read(bento: Path) -> StoredBento:
    """What a Bento's folder says of itself (built, promoted or unpacked elsewhere).

    Raises `InputError` where the folder is no Bento of nb2prod's.
    """
    item = _read(bento)
    if item is None:
        raise InputError(
            f"{bento} is not a Bento made by nb2prod",
            "A Bento's folder has a bento.yaml and a src folder; `nb2prod list` names those in the store.",
        )
    return item


def promote(staged: Path, *, readme: str | None = None, store: Path | None = None) -> str:
    """Copy a proved Bento from the staging store to the user's, make it the latest, and return its tag.

    `readme` (the model card) replaces the Bento's README.md. The Bento appears in one step, whole: a
    failure leaves the store as it was and raises `EnvironmentProblem`. A version that is already there
    has the same content by its name; it is kept, and becomes the latest. Several at once do no harm.
    """
    item = read(staged)
    root = store or store_folder()
    target = root / item.name / item.version
    made = False
    try:
        made = not target.exists() and _copy(staged, target, root, readme)
        _write_latest(target)
    except OSError as error:
        if made:
            shutil.rmtree(target, ignore_errors=True)
        _remove_if_empty(target.parent)
        raise EnvironmentProblem(
            f"the Bento {item.tag} can't be put into {root}: {room.reason(error)}",
            "Free some room there, or set BENTOML_HOME to another folder. The store is as it was.",
        ) from error
    return item.tag


def replace_card(item: StoredBento, readme: str) -> None:
    """Put another model card into a Bento: its README.md is outside of its version. Raises `EnvironmentProblem`."""
    try:
        with tempfile.NamedTemporaryFile("w", dir=item.folder, encoding="utf-8", newline="\n", delete=False) as file:
            file.write(readme)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(item.folder / "README.md")
    except OSError as error:
        raise EnvironmentProblem(f"the model card of {item.tag} can't be written: {room.reason(error)}") from error


def remove(tag: str, store: Path | None = None) -> None:
    """Remove the Bento of this exact tag; harmless where it is gone. The newest that is left becomes the latest."""
    root = store or store_folder()
    try:
        item = find(tag, root)
    except InputError:
        return
    if item.tag != tag:
        return
    shutil.rmtree(item.folder, ignore_errors=True)
    left = _versions(item.folder.parent)
    latest = item.folder.parent / _LATEST
    if not left:
        latest.unlink(missing_ok=True)
        _remove_if_empty(item.folder.parent)
    elif not any(latest.is_file() and latest.read_text(encoding="utf-8").strip() == other.version for other in left):
        _write_latest(max(left, key=lambda other: other.created).folder)


def _copy(staged: Path, target: Path, root: Path, readme: str | None) -> bool:
    """Whether this call put it there; False where another process did meanwhile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the store, not in it: BentoML takes each folder in the store for a Bento.
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=".nb2prod-promote-") as scratch:
        copied = Path(scratch) / "bento"
        shutil.copytree(staged, copied, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        if readme is not None:
            (copied / "README.md").write_text(readme, encoding="utf-8", newline="\n")
        try:
            copied.rename(target)
        except OSError:
            if not (target / "bento.yaml").is_file():
                raise
            return False
    return True


def _write_latest(target: Path) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".latest-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(target.name)
        Path(temporary).chmod(0o644)  # mkstemp's 600 would hide it from others who share the store
        Path(temporary).replace(target.parent / _LATEST)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _remove_if_empty(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:
        return  # it holds other versions, or was never made


def _latest(name: Path, versions: list[StoredBento]) -> StoredBento:
    try:
        chosen = (name / _LATEST).read_text(encoding="utf-8").strip()
    except OSError:
        chosen = ""
    return next((item for item in versions if item.version == chosen), None) or max(
        versions, key=lambda item: item.created
    )


def _versions(name: Path) -> list[StoredBento]:
    return [item for path in sorted(name.iterdir()) if path.is_dir() and (item := _read(path)) is not None]


def _read(path: Path) -> StoredBento | None:
    try:
        document: dict[str, Any] = yaml.safe_load((path / "bento.yaml").read_text(encoding="utf-8"))
        labels = {str(key): str(value) for key, value in (document.get("labels") or {}).items()}
        if LABEL not in labels:
            return None
        return StoredBento(
            name=str(document["name"]),
            version=str(document["version"]),
            folder=path.absolute(),
            created=_time(document.get("creation_time")),
            labels=labels,
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, AttributeError, ValueError):
        return None  # not a Bento, or one that BentoML could not read either


def _time(value: object) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_plain(name: str) -> bool:
    return bool(name) and not any(part in name for part in ("/", "\\", "..", "\0"))


def _names_hint(root: Path) -> str:
    names = list(dict.fromkeys(_names(root)))
    if not names:
        return "The store has no Bento of nb2prod's yet: build one with `nb2prod build NOTEBOOK`."
    return f"There are: {', '.join(names)}."


def _names(root: Path) -> Iterator[str]:
    for item in bentos(root):
        yield item.name
