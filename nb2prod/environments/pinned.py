"""The environment that a Bento asks for: read from its folder, written into its project."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from nb2prod.environments.interpreter import Environment

FILE = "environment.json"
"""In a project's folder; part of the version's digest."""
WHEELS = "local_wheels"
"""The folder, beside it, of wheels that go along in the Bento: of packages that no index need have."""
_PYTHON = re.compile(r"^\s+python_version: ['\"]?(\d+\.\d+)", re.MULTILINE)


@dataclass(frozen=True)
class PinnedEnvironment:
    """Exact `pins` (`name==version`) for a Python (major and minor) on a platform such as `linux-x86_64`."""

    python: str
    platform: str
    pins: tuple[str, ...]
    wheels: tuple[Path, ...] = ()
    """Files in the Bento that stand for some of the pins."""

    @property
    def is_met_here(self) -> bool:
        """Whether the environment that runs nb2prod has just these packages, on this Python."""
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return self.python in ("", here) and all(map(_is_installed, self.pins))


def describe(environment: Environment) -> dict[str, str]:
    """The document of a project's environment.json."""
    return {"python": environment.python_version, "platform": environment.platform}


def of_bento(folder: Path) -> PinnedEnvironment:
    """What the built Bento in this folder asks for; without pins where it says nothing of them."""
    try:
        lines = (folder / "env" / "python" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    pins = tuple(sorted(line.strip() for line in lines if "==" in line))
    try:
        told = json.loads((folder / "src" / FILE).read_text(encoding="utf-8"))
        wheels = tuple(sorted((folder / "src" / WHEELS).glob("*.whl")))
        return PinnedEnvironment(str(told["python"]), str(told["platform"]), pins, wheels)
    except (OSError, ValueError, KeyError, TypeError):
        return PinnedEnvironment(_python_of_yaml(folder), "", pins)  # made before its environment was written down


def _python_of_yaml(folder: Path) -> str:
    try:
        found = _PYTHON.search((folder / "bento.yaml").read_text(encoding="utf-8"))
    except OSError:
        return ""
    return found[1] if found else ""


def _is_installed(pin: str) -> bool:
    name, _, version = pin.partition("==")
    try:
        return metadata.version(name).partition("+")[0] == version.partition(" ")[0]
    except metadata.PackageNotFoundError:
        return False
