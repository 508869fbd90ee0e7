"""Environments of other Pythons and older libraries: made by uv from pinned lists, and kept from run to run.

Each comes twice: `kernel` is what somebody's notebook runs in, with nothing of nb2prod's; `tests` is the same packages at the same
versions, what the runtime needs and what the tests need. Kept in `NB2PROD_TEST_ENVIRONMENTS`, by default in the user's cache folder.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

Use = Literal["kernel", "tests"]
PINS = Path(__file__).with_name("pins")
"""`NAME.txt` and `NAME-tests.txt`, both written by `python -m tests.matrix.pin`."""
_ASK = "import json, platform, sys; print(json.dumps([list(sys.version_info[:2]), platform.python_version()]))"


@dataclass(frozen=True)
class Environment:
    """A Python (`3.10`) and the packages that were chosen for it, by requirements; all others follow from them."""

    name: str
    python: str
    chosen: tuple[str, ...]

    def pins(self, use: Use) -> Path:
        """The file of exact versions."""
        return PINS / (f"{self.name}.txt" if use == "kernel" else f"{self.name}-tests.txt")


ENVIRONMENTS = (
    # pyarrow 26 refuses numpy 1 as it is imported, and says so in no metadata.
    Environment(
        "python3.10-pandas2.0",
        "3.10",
        ("pandas==2.0.3", "scikit-learn==1.3.2", "numpy==1.26.4", "pyarrow<26"),
    ),
    # The Python of Debian 12, whose packages make the base image of the container tests.
    Environment(
        "python3.11-pandas2.2", "3.11", ("pandas==2.2.3", "scikit-learn==1.5.2", "numpy==1.26.4", "pyarrow<26")
    ),
    Environment("python3.12-pandas2.2", "3.12", ("pandas==2.2.3", "scikit-learn==1.5.2", "numpy==2.1.3", "pyarrow")),
    Environment("python3.13-pandas2.3", "3.13", ("pandas==2.3.3", "scikit-learn==1.6.1", "numpy", "pyarrow")),
    # Libraries of models besides scikit-learn; JAX is the smallest of those that Keras computes with.
    Environment(
        "python3.12-models",
        "3.12",
        ("pandas", "scikit-learn", "numpy", "pyarrow", "catboost", "jax", "keras", "lightgbm", "xgboost-cpu"),
    ),
    Environment("python3.13-current", "3.13", ("pandas", "scikit-learn", "numpy", "pyarrow")),
    Environment("python3.14-current", "3.14", ("pandas", "scikit-learn", "numpy", "pyarrow")),
)


class NoInterpreter(Exception):
    """This machine has no Python of the version that was asked for."""


@functools.cache
def interpreter(version: str) -> Path:
    """An interpreter of this version (`3.10`) on this machine: one on the path, pyenv's or uv's own.

    Raises `NoInterpreter`.
    """
    for candidate in _candidates(version):
        if _version(candidate)[0] == [int(part) for part in version.split(".")]:
            return candidate
    raise NoInterpreter(f"no Python {version} on this machine: none on the path, in pyenv or of uv's")


def _candidates(version: str) -> Iterator[Path]:
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        yield Path(sys.base_prefix) / "bin" / f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    found = shutil.which(f"python{version}")
    if found:
        yield Path(found)
    if shutil.which(uv()) is None:
        return
    asked = subprocess.run(
        [uv(), "python", "find", "--managed-python", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode == 0:
        yield Path(asked.stdout.strip())


def _version(python: Path) -> tuple[list[int], str]:
    try:
        said = subprocess.run([python, "-I", "-c", _ASK], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):  # pyenv's stand-in for a version that is not switched on
        return [], ""
    short, full = json.loads(said)
    return short, full


def uv() -> str:
    """The uv beside this Python, or the one on the path."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else "uv"


def python_of(environment: Environment, use: Use) -> Path:
    """The Python of an environment, which is made if it is not there yet.

    Raises `NoInterpreter`, and `subprocess.CalledProcessError` where uv can't make it.
    """
    base = interpreter(environment.python)
    pins = environment.pins(use).read_text(encoding="utf-8")
    digest = hashlib.sha256(f"{base} {_version(base)[1]}\n{pins}".encode()).hexdigest()[:12]
    kept = Path(os.environ.get("NB2PROD_TEST_ENVIRONMENTS") or platformdirs.user_cache_path("nb2prod-tests"))
    kept.mkdir(parents=True, exist_ok=True)
    place = kept / f"{environment.name}-{use}-{digest}"
    python, complete = place / "bin" / "python", place / "complete"
    with (kept / f"{place.name}.lock").open("w") as lock:
        # Tests in several processes want the same one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            shutil.rmtree(place, ignore_errors=True)
            _uv("venv", "--python", str(base), str(place))
            _uv("pip", "sync", "--python", str(python), str(environment.pins(use)))
            complete.touch()
    return python


def _uv(*arguments: str) -> None:
    subprocess.run([uv(), *arguments, "--quiet"], check=True)
