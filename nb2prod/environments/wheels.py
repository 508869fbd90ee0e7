"""Wheels of exact pins in a folder: for the build of an image, or for a machine that has no network."""

from __future__ import annotations

import hashlib
import importlib.util
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from nb2prod import home
from nb2prod.environments import lock, uv
from nb2prod.environments.lock import Settled
from nb2prod.environments.uv import Sources
from nb2prod.errors import EnvironmentProblem, InputError

_GLIBC = 36
"""Wheels for glibc 2.36 and older run on Debian 12 and whatever is newer."""
_SECONDS = 1800


def fetch(asked: Settled, folder: Path, places: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The wheels of these pins for Linux on this machine's processor, put into `folder`; those in `places` are not fetched again.

    Files that stand for a pin are copied: an index may have another package of that name. Raises `EnvironmentProblem` where one
    can't be had.
    """
    local = {name_of(wheel): wheel for wheel in asked.wheels}
    for wheel in local.values():
        shutil.copy2(wheel, folder / wheel.name)
    names = {canonicalize_name(pin.partition("==")[0]): pin for pin in asked.pins}
    platforms = [part for name in _platforms() for part in ("--platform", name)]
    links = [part for place in places for part in ("--find-links", str(place))]
    said = _download(
        [pin for name, pin in names.items() if name not in local], asked.python, folder, [*platforms, *links]
    )
    if said is not None:
        raise EnvironmentProblem(
            f"the pinned packages can't be fetched: {said}",
            "Each must have a wheel for Linux in your package index; pip's own settings say which index that is. A package of your own "
            "goes along where the notebook was built with --find-links FOLDER, the folder of its wheel.",
        )
    return tuple(sorted(path for path in folder.glob("*.whl") if name_of(path) in names))


def local(pins: Sequence[str], python: str, sources: Sources) -> tuple[Path, ...]:
    """The wheels of these pins from the places that `sources` name, no index asked: kept by their content under nb2prod's home.

    Raises `EnvironmentProblem` where a pin has none there.
    """
    if not pins:
        return ()
    kept = home.make(home.home() / "environments" / "wheels")
    with tempfile.TemporaryDirectory(prefix=".found-", dir=kept) as scratch:
        links = [part for place in sources.find_links for part in ("--find-links", place)]
        said = _download(pins, python, Path(scratch), ["--no-index", *links])
        if said is not None:
            raise EnvironmentProblem(
                f"the notebook uses packages that were installed from a folder or an address, and one has no wheel in "
                f"{', '.join(sources.find_links)}: {said}",
                "Make a wheel of the version that the notebook's environment has, in that folder: "
                f"python -m pip wheel --no-deps --wheel-dir {sources.find_links[0]} FOLDER_OF_THE_PACKAGE",
            )
        return tuple(sorted(_kept(wheel, kept) for wheel in Path(scratch).glob("*.whl")))


def _kept(wheel: Path, root: Path) -> Path:
    target = root / digests([wheel])[0][:16] / wheel.name
    target.parent.mkdir(exist_ok=True)
    return wheel.replace(target)


def digests(found: Iterable[Path]) -> tuple[str, ...]:
    """SHA-256 of each of these wheels, as hexadecimal digits, sorted."""
    return tuple(sorted(hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in found))


def _download(pins: Sequence[str], python: str, folder: Path, options: Sequence[str]) -> str | None:
    """Have pip put the wheels of these pins for this Python into the folder; what it says where it can't, else None."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
        listed.write("".join(f"{pin}\n" for pin in pins))
        listed.flush()
        command = [
            *_pip(), "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--implementation", "cp",
            "--python-version", python, "--dest", str(folder), "-r", listed.name, *options,
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise EnvironmentProblem(f"the pinned packages could not be fetched within {_SECONDS} s") from error
    if not done.returncode:
        return None
    told = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
    return told[0] if told else "pip says nothing"


def settle_file(path: Path, python: str) -> Settled:
    """The exact pins of a file of requirements for this Python (major and minor).

    Raises `InputError` where the file can't be read or the Python is none, `uv.Unsolvable` where nothing fits.
    """
    if not re.fullmatch(r"3\.\d+", python):
        raise InputError(f"{python!r} is no version of Python", "Write major and minor, as in 3.12.")
    if not path.is_file():
        raise InputError(f"there is no file {path}", "A build without a network names the file of what it needs.")
    with tempfile.TemporaryDirectory(prefix="nb2prod-settled-") as scratch:
        target = Path(scratch) / "pins.txt"
        uv.run(
            [
                *("pip", "compile", str(path), "--python-version", python, "--output-file", str(target)),
                *("--no-annotate", "--no-header"),
            ],
            purpose="the packages can't be settled",
        )
        return Settled(python, lock.read_pins(target))


def among(pins: Iterable[str], local: Iterable[Path]) -> tuple[Path, ...]:
    """Those of the `local` wheels whose distribution is among the pins."""
    names = {canonicalize_name(pin.partition("==")[0]) for pin in pins}
    return tuple(wheel for wheel in local if name_of(wheel) in names)


def name_of(wheel: Path) -> str:
    """The canonical name of a wheel's distribution."""
    return canonicalize_name(wheel.name.split("-")[0])


def _platforms() -> list[str]:
    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())
    return [*(f"manylinux_2_{minor}_{machine}" for minor in range(_GLIBC, 4, -1)), f"manylinux2014_{machine}"]


def _pip() -> list[str]:
    """Pip of this environment; those that uv makes have none, and uv brings one."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    return [uv.program(), "tool", "run", "pip"]
