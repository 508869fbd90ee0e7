"""What is installed for an interpreter: read once from it, looked up by name or by module."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from nb2prod.errors import EnvironmentProblem

_SCRIPT = Path(__file__).with_name("interpreter_script.py")
_SECONDS = 60


@dataclass(frozen=True)
class Distribution:
    """An installed package. `url` is set where it came from a folder or an address, not from an index or from conda."""

    name: str
    version: str
    requires: tuple[str, ...]
    modules: tuple[str, ...]
    url: str = ""

    @property
    def key(self) -> str:
        """The name by which packages are compared: lowercase, with dashes."""
        return canonicalize_name(self.name)

    @property
    def pin(self) -> str:
        """`name==version`, the version without a local part such as `+cu121`."""
        return f"{self.key}=={self.version.partition('+')[0]}"


@dataclass(frozen=True)
class Environment:
    """An interpreter, its marker values and its distributions (the first of a name wins, as for imports)."""

    python: Path
    markers: Mapping[str, str]
    distributions: tuple[Distribution, ...]
    prefix: str = ""
    standard_library: frozenset[str] = frozenset()
    """Top-level names of the interpreter's standard library."""

    @property
    def python_version(self) -> str:
        """Major and minor, as in `3.11`."""
        return self.markers["python_version"]

    @property
    def full_version(self) -> str:
        """As in `3.11.7`."""
        return self.markers["python_full_version"]

    @property
    def platform(self) -> str:
        """Operating system and processor, as in `linux-x86_64`."""
        return f"{self.markers['sys_platform']}-{self.markers['platform_machine']}"

    def version_of(self, name: str) -> str | None:
        """The installed version of the distribution of this canonical name, or None."""
        found = self.by_name.get(name)
        return None if found is None else found.version

    @cached_property
    def by_name(self) -> dict[str, Distribution]:
        """Distributions by canonical name."""
        return {item.key: item for item in reversed(self.distributions)}

    @cached_property
    def by_module(self) -> dict[str, tuple[Distribution, ...]]:
        """Distributions by top-level module; several where a namespace is shared."""
        found: dict[str, dict[str, Distribution]] = {}
        for item in self.distributions:
            for module in item.modules:
                found.setdefault(module, {}).setdefault(item.key, item)
        return {module: tuple(items.values()) for module, items in found.items()}


def read(python: Path, variables: Mapping[str, str] | None = None) -> Environment:
    """Ask this interpreter what is installed for it, started with these environment variables besides one's own.

    Raises `EnvironmentProblem` where it can't be started or does not answer.
    """
    try:
        done = subprocess.run(
            [str(python), "-c", _SCRIPT.read_text(encoding="utf-8")],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
            env={**os.environ, **(variables or {})},
        )
        document = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise EnvironmentProblem(
            f"the notebook's Python {python} can't say what is installed for it: {_reason(error)}",
            "Check that this interpreter starts, and that its kernel is the one the notebook names.",
        ) from error
    return Environment(
        python,
        document["markers"],
        tuple(map(_distribution, document["distributions"])),
        document["prefix"],
        frozenset(document["standard_library"]),
    )


def own() -> Environment:
    """The environment that runs nb2prod."""
    return read(Path(sys.executable))


def is_same(one: Path, other: Path) -> bool:
    """Whether two paths are one interpreter, under whatever names in the same folder."""
    # The folder is not resolved: a virtual environment's python is a link to one that has other packages.
    return one.absolute().parent == other.absolute().parent and one.resolve() == other.resolve()


def is_own(python: Path) -> bool:
    """Whether this interpreter is the one that runs nb2prod."""
    return is_same(python, Path(sys.executable))


def _distribution(found: Mapping[str, Any]) -> Distribution:
    return Distribution(
        name=found["name"],
        version=found["version"],
        requires=tuple(found["requires"]),
        modules=tuple(found["modules"]),
        # conda's packages name the folder of the machine that built them.
        url="" if found["installer"] == "conda" else found["url"],
    )


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in str(error.stderr).splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"it ended with status {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer within {_SECONDS} s"
    return str(error)
