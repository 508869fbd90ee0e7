"""Builds the JupyterLab extension while the Python package is built, and only where it is out of date."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("src", "style", "schema", "package.json", "package-lock.json", "tsconfig.json")


class LabExtensionHook(BuildHookInterface[Any]):
    """Makes `nb2prod/labextension/` from `labextension/` with npm, unless the output is newer than its source."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files. Raises SystemExit where there is no output and no npm."""
        del version, build_data
        root = Path(self.root)
        source, built = root / "labextension", root / "nb2prod" / "labextension" / "package.json"
        if built.exists() and built.stat().st_mtime >= newest(source):
            return
        npm = shutil.which("npm")
        if npm is not None:
            build(npm, source)
        elif built.exists():
            self.app.display_warning("npm is not installed: packing the JupyterLab extension as it was last built")
        else:
            raise SystemExit(
                "The JupyterLab extension is not built and npm is not installed. "
                "Install Node.js 20 or later (it brings npm), or install nb2prod from a wheel, which needs no Node."
            )


def newest(source: Path) -> float:
    """When the youngest source file was last changed."""
    return max(file.stat().st_mtime for file in files(source))


def files(source: Path) -> Iterator[Path]:
    for name in SOURCES:
        path = source / name
        if path.is_file():
            yield path
        else:
            yield from (file for file in path.rglob("*") if file.is_file())


def build(npm: str, source: Path) -> None:
    """Install the locked JavaScript packages if they are not there, compile, and put the outcome into the package."""
    # `jupyter-builder` is a script of the environment that runs this hook.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path}
    lock, installed = source / "package-lock.json", source / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run([npm, "ci"], cwd=source, env=environment, check=True)
    subprocess.run([npm, "run", "build:prod"], cwd=source, env=environment, check=True)
