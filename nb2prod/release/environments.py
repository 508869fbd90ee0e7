"""The environments that were made, and what needs them: Bentos of the store and of deployments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nb2prod import home
from nb2prod.bento import build_environment
from nb2prod.bento import store as bentos
from nb2prod.environments import lock, pinned, served, sizes, store, wheels
from nb2prod.environments.lock import Settled
from nb2prod.environments.pinned import PinnedEnvironment
from nb2prod.environments.served import ServedEnvironment
from nb2prod.environments.store import MadeEnvironment
from nb2prod.environments.uv import Sources
from nb2prod.errors import InputError


@dataclass(frozen=True)
class KeptEnvironment:
    """An environment that was made: `bytes` are those that its removal frees, `serves` the Bentos that need it."""

    key: str
    python: str
    packages: int
    bytes: int
    made: str
    """ISO 8601, UTC; so is `used`."""
    used: str
    intact: bool
    serves: tuple[str, ...]
    folder: str

    def to_json(self) -> dict[str, Any]:
        """As `env list --json` has it."""
        return asdict(self)


def kept() -> tuple[KeptEnvironment, ...]:
    """All that were made, the last used first."""
    asked = _asked()
    return tuple(_kept(item, asked) for item in store.environments())


def unused() -> tuple[MadeEnvironment, ...]:
    """Those that no Bento of the store or of a deployment needs. The next build that needs one makes it again."""
    asked = _asked()
    return tuple(item for item in store.environments() if not _served(item, asked))


def remove(keys: Iterable[str]) -> tuple[str, ...]:
    """Remove those of these keys, or of their unique beginnings; returns the keys. `InputError` where there is no such one."""
    found = store.environments()
    chosen = []
    for key in keys:
        matches = [item for item in found if item.key.startswith(key)]
        if len(matches) != 1:
            many = "several environments begin" if matches else "there is no environment that begins"
            raise InputError(f"{many} with {key!r}", "`nb2prod env list` shows the keys.")
        chosen += matches
    for item in chosen:
        store.remove(item)
    return tuple(item.key for item in chosen)


def remove_unused() -> tuple[str, ...]:
    """Remove those that nothing needs; returns their keys."""
    return remove(item.key for item in unused())


def make(target: str, kernel: str | None, sources: Sources) -> ServedEnvironment:
    """The environment that a notebook is tried in, or a Bento (tag or folder) served in; made where it is not there yet.

    Raises `InputError` where the target is neither, `EnvironmentProblem` where it can't be made.
    """
    if _is_notebook(target):
        return build_environment.of_notebook(Path(target), kernel, sources).tried
    return served.of_bento(_bento(target), sources)


def settled(target: str, kernel: str | None, python: str | None) -> Settled:
    """The exact pins of a notebook's environment, a Bento's, or a file of requirements for `python`."""
    path = Path(target)
    if path.suffix in (".in", ".txt"):
        if python is None:
            raise InputError(f"{target} is a list of requirements, for which Python?", "Say it: --python 3.12")
        return wheels.settle_file(path, python)
    if _is_notebook(target):
        asked = build_environment.asked_for(path, kernel, Sources())
        return Settled(asked.environment.python_version, lock.settle(asked, Sources()))
    found = pinned.of_bento(_bento(target))
    return Settled(found.python, found.pins, found.wheels)


def fetch(asked: Settled, folder: Path) -> tuple[Path, ...]:
    """The wheels of these pins for this machine's platform, in `folder`, made if missing. `EnvironmentProblem` where one can't be had."""
    return wheels.fetch(asked, home.make(folder.absolute()))


def _bento(target: str) -> Path:
    path = Path(target)
    return path.absolute() if (path / "bento.yaml").is_file() else bentos.find(target).folder


def _is_notebook(target: str) -> bool:
    return Path(target).suffix == ".ipynb"


def _asked() -> dict[str, PinnedEnvironment]:
    """What the Bentos of the store and of the deployments ask for, by their names."""
    from nb2prod.release.running import places

    found = {item.tag: pinned.of_bento(item.folder) for item in bentos.bentos()}
    for folder in places.copies():
        found[f"deployment {folder.parent.parent.name}: {folder.name}"] = pinned.of_bento(folder)
    return found


def _served(item: MadeEnvironment, asked: dict[str, PinnedEnvironment]) -> tuple[str, ...]:
    pins = frozenset(item.pins)
    return tuple(
        name
        for name, told in asked.items()
        if item.full_version.startswith(f"{told.python}.") and pins == frozenset(told.pins)
    )


def _kept(item: MadeEnvironment, asked: dict[str, PinnedEnvironment]) -> KeptEnvironment:
    moments = [datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds") for value in (item.made, item.used)]
    return KeptEnvironment(
        key=item.key,
        python=item.full_version,
        packages=len(item.pins),
        bytes=sizes.freed(item.folder),
        made=moments[0],
        used=moments[1],
        intact=store.find(item.key) is not None,
        serves=_served(item, asked),
        folder=str(item.folder),
    )
