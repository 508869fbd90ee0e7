"""Environments that were made: each of exact pins for one Python, kept by the digest of both under nb2prod's home.

An environment is made beside its place and renamed, under a lock: nothing half-made is ever used, and two builds that need the
same one make it once. A seal over its files tells whether it was changed by hand afterwards; then it is made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from nb2prod import home, room
from nb2prod.environments import records, uv, wheels
from nb2prod.environments.uv import Sources
from nb2prod.errors import EnvironmentProblem

_ABOUT = "nb2prod-environment.json"
_FORMAT = 1
_CHECKED = ("bentoml", "msgspec", "numpy", "pandas", "pyarrow", "skops", "starlette")
"""Modules that a new environment must be able to import: some packages do not say which others they refuse."""
_SECONDS = 300


@dataclass(frozen=True)
class MadeEnvironment:
    """One that is there: `python` is its interpreter, `full_version` that one's, as `3.12.1`."""

    key: str
    folder: Path
    pins: tuple[str, ...]
    full_version: str
    made: float
    """Seconds since the epoch."""
    wheels: tuple[str, ...] = ()
    """SHA-256 of each file that stood for a pin, sorted."""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def site(self) -> Path:
        """The folder of its packages."""
        minor = ".".join(self.full_version.split(".")[:2])
        return self.folder / "lib" / f"python{minor}" / "site-packages"

    @property
    def used(self) -> float:
        """When it was used last, in seconds since the epoch."""
        with contextlib.suppress(OSError):
            return (self.folder / "used").stat().st_mtime
        return self.made


@dataclass(frozen=True)
class Order:
    """An environment to be had: exact pins, and the interpreter in whose likeness it is made."""

    base: Path
    full_version: str
    platform: str
    pins: tuple[str, ...]
    wheels: tuple[Path, ...] = ()
    """Files that stand for some of the pins: of packages that no index need have."""

    @property
    def key(self) -> str:
        """The digest of Python, platform and pins, and of the files that stand for some."""
        text = json.dumps([_FORMAT, self.full_version, self.platform, sorted(self.pins), *self.digests])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def digests(self) -> tuple[str, ...]:
        """SHA-256 of each wheel, sorted."""
        return wheels.digests(self.wheels)

    @property
    def requirements(self) -> tuple[str, ...]:
        """For uv: the pins, and for those that a file stands for its path."""
        local = {wheels.name_of(wheel) for wheel in self.wheels}
        others = (pin for pin in self.pins if canonicalize_name(pin.partition("==")[0]) not in local)
        return (*others, *map(str, self.wheels))


def folder() -> Path:
    """Where they are. It may not exist yet."""
    return home.home() / "environments"


def find(key: str) -> MadeEnvironment | None:
    """The environment of this key if it is there whole and as it was made, else None."""
    found = _read(folder() / key)
    return found if found is not None and _is_intact(found) else None


def environments() -> tuple[MadeEnvironment, ...]:
    """All that are there, changed or not, the last used first."""
    root = folder()
    found = [_read(item) for item in root.iterdir() if item.is_dir()] if root.is_dir() else []
    return tuple(sorted(filter(None, found), key=lambda item: -item.used))


def ensure(order: Order, sources: Sources) -> MadeEnvironment:
    """The environment of this order; made if it is not there, and made again if it was changed.

    Raises `EnvironmentProblem` where it can't be made: a package can't be had, the disk is full, or the packages do not work together.
    """
    root = home.make(folder())
    with _lock(root, order.key):
        found = _read(root / order.key)
        if found is not None and _is_intact(found):
            with contextlib.suppress(OSError):
                (found.folder / "used").touch()
            return found
        try:
            return _make(order, sources, root, again=found is not None)
        except OSError as error:
            raise room.problem(error, root) or EnvironmentProblem(
                f"the served environment can't be made in {root}: {room.reason(error)}",
                "Set NB2PROD_HOME to a folder that you may write to.",
            ) from error


def remove(environment: MadeEnvironment) -> None:
    """Remove it; a build that needs it makes it again."""
    with _lock(folder(), environment.key):
        # Out of the way first: half of an environment must not be found.
        gone = environment.folder.with_name(f".removed-{environment.key}-{os.getpid()}")
        with contextlib.suppress(OSError):
            environment.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _make(order: Order, sources: Sources, root: Path, *, again: bool) -> MadeEnvironment:
    _sweep(root, order.key)
    scratch = Path(tempfile.mkdtemp(prefix=f".making-{order.key}-", dir=root))
    try:
        place = scratch / order.key
        _fill(place, order, sources)
        if again and records.damaged(_site(place, order)):
            # Files are shared with uv's cache by hard links: what was changed by hand here may be changed there too.
            shutil.rmtree(place)
            _fill(place, order, sources, fresh=True)
        _check_imports(place)
        about = {
            "pins": sorted(order.pins),
            "python": order.full_version,
            "platform": order.platform,
            "made": time.time(),
            "wheels": order.digests,
        }
        (place / _ABOUT).write_text(json.dumps({**about, "seal": records.seal(_site(place, order))}), encoding="utf-8")
        target = root / order.key
        shutil.rmtree(target, ignore_errors=True)
        place.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    made = _read(target)
    if made is None:
        raise EnvironmentProblem(f"the served environment {target} was removed while it was made", "Build again.")
    return made


def _fill(place: Path, order: Order, sources: Sources, *, fresh: bool = False) -> None:
    purpose = "the served environment can't be made"
    # Relocatable: it is renamed to its place afterwards.
    uv.run(["venv", "--quiet", "--relocatable", "--python", str(order.base), str(place)], purpose=purpose)
    listed = place.with_suffix(".txt")
    listed.write_text("".join(f"{item}\n" for item in order.requirements), encoding="utf-8")
    own = ["--no-cache", "--link-mode", "copy"] if fresh else []
    uv.run(
        [
            *("pip", "install", "--quiet", "--no-deps", "--python", str(place / "bin" / "python"), *own),
            *(*sources.options(), "--requirements", str(listed)),
        ],
        purpose=purpose,
    )


def _check_imports(place: Path) -> None:
    names = [name for name in _CHECKED if any(_packages(place, name))]
    done = subprocess.run(
        [str(place / "bin" / "python"), "-I", "-c", "import " + ", ".join(names)] if names else ["true"],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        raise EnvironmentProblem(
            f"the served environment was made, but its packages do not work together: {last[0].strip() if last else 'its Python ended'}",
            "Change the versions in the notebook's environment so that they fit together.",
        )


def _packages(place: Path, name: str) -> Iterator[Path]:
    for ending in ("", ".py"):
        yield from (place / "lib").glob(f"python3*/site-packages/{name}{ending}")


def _site(place: Path, order: Order) -> Path:
    return place / "lib" / f"python{'.'.join(order.full_version.split('.')[:2])}" / "site-packages"


def _read(place: Path) -> MadeEnvironment | None:
    try:
        about = json.loads((place / _ABOUT).read_text(encoding="utf-8"))
        wheels_used = tuple(about.get("wheels", ()))
        return MadeEnvironment(place.name, place, tuple(about["pins"]), about["python"], about["made"], wheels_used)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_intact(environment: MadeEnvironment) -> bool:
    """Whether its interpreter is still there, and no file of its packages came, went or changed since it was made."""
    if not environment.python.exists():
        return False  # the interpreter that it was made from was removed
    try:
        told = json.loads((environment.folder / _ABOUT).read_text(encoding="utf-8"))["seal"]
    except (OSError, ValueError, KeyError):
        return False
    return bool(told == records.seal(environment.site))


def _sweep(root: Path, own: str) -> None:
    """Remove what builds that were killed have left: whoever still makes one holds its lock, as we hold that of our `own` key."""
    for left in [*root.glob(".making-*"), *root.glob(".removed-*")]:
        key = left.name.split("-")[1]
        if key == own or not _is_locked(root, key):
            shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _lock(root: Path, key: str) -> Iterator[None]:
    home.make(root / "locks")
    with (root / "locks" / f"{key}.lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _is_locked(root: Path, key: str) -> bool:
    with (root / "locks" / f"{key}.lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def uncached(pins: Sequence[str], base: Path, sources: Sources) -> tuple[str, ...]:
    """Those of these pins that would have to be downloaded, because uv has them not in its cache. Asks the index; raises as `uv.run`."""
    with tempfile.TemporaryDirectory(prefix="nb2prod-asked-") as scratch:
        listed = Path(scratch) / "requirements.txt"
        listed.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        said = uv.run(
            [
                *("pip", "install", "--dry-run", "--verbose", "--no-deps", "--target", scratch, "--python", str(base)),
                *(*sources.options(), "--requirements", str(listed)),
            ],
            purpose="what the served environment would need can't be told",
        )
    return tuple(re.findall(r"Identified uncached distribution: (\S+)", said))
