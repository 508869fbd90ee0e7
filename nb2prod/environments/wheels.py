"""Wheels of exact pins in a folder: for the build of an image, or for a machine that has no network."""

from __future__ import annotations

import importlib.util
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from nb2prod.environments import lock, uv
from nb2prod.environments.lock import Settled
from nb2prod.errors import EnvironmentProblem, InputError

_GLIBC = 36
"""Wheels for glibc 2.36 and older run on Debian 12 and whatever is newer."""
_SECONDS = 1800


def fetch(asked: Settled, folder: Path, places: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The wheels of these pins for Linux on this machine's processor, put into `folder`; those in `places` are not fetched again.

    Raises `EnvironmentProblem` where one can't be had.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as listed:
        listed.write("".join(f"{pin}\n" for pin in asked.pins))
        listed.flush()
        command = [
            *_pip(), "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--implementation", "cp",
            "--python-version", asked.python, "--dest", str(folder), "-r", listed.name,
        ]  # fmt: skip
        command += [part for place in places for part in ("--find-links", str(place))]
        command += [part for name in _platforms() for part in ("--platform", name)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise EnvironmentProblem(f"the pinned packages could not be fetched within {_SECONDS} s") from error
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise EnvironmentProblem(
            f"the pinned packages can't be fetched: {told[0] if told else 'pip says nothing'}",
            "Each must have a wheel for Linux in your package index; pip's own settings say which index that is.",
        )
    names = {canonicalize_name(pin.partition("==")[0]) for pin in asked.pins}
    return tuple(sorted(path for path in folder.glob("*.whl") if name_of(path) in names))


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
