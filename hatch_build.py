"""What is done while the package is built: the JupyterLab extension where it is out of date, the pages and examples that travel, the README's links."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

SOURCES = ("src", "style", "schema", "package.json", "package-lock.json", "tsconfig.json")


class LabExtensionHook(BuildHookInterface[Any]):
    """Makes `nb2prod/labextension/` from `labextension/` with npm, unless the output is newer than its source."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects files. Raises SystemExit where there is no output and no npm."""
        root = Path(self.root)
        self._make_sidebar(root)
        if self.target_name == "wheel" and version == "standard":
            build_data.setdefault("force_include", {}).update(travelling(root))

    def _make_sidebar(self, root: Path) -> None:
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


class ReadmeHook(MetadataHookInterface):
    """The README as a package index shows it: links and pictures lead to the repository, at this version's tag."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Called by hatchling with the project's metadata, which gets its `readme`."""
        root = Path(self.root)
        package = (root / "nb2prod" / "__init__.py").read_text(encoding="utf-8")
        version = re.search(r'__version__ = "([^"]+)"', package)
        assert version is not None
        text = (root / "README.md").read_text(encoding="utf-8")
        linked = with_absolute_links(text, metadata["urls"]["Homepage"], f"v{version[1]}")
        metadata["readme"] = {"content-type": "text/markdown", "text": linked}


def travelling(root: Path) -> dict[str, str]:
    """Files of the repository that a wheel holds, with their places in it: pages that messages refer to, and the examples."""
    pages = [*(root / "docs").glob("*.md"), *(root / "docs" / "diagnostics").glob("*.md")]
    examples = [*(root / "example_notebooks").glob("*.ipynb"), *(root / "example_notebooks" / "data").glob("*.*")]
    found = [file for file in (*pages, *examples) if file.suffix != ".py"]
    return {str(file): f"nb2prod/shipped_files/{file.relative_to(root).as_posix()}" for file in sorted(found)}


def with_absolute_links(text: str, repository: str, tag: str) -> str:
    """The Markdown with each relative link made one into the repository; anchors of the page itself stay."""

    def absolute(match: re.Match[str]) -> str:
        place, target = match[1], match[2]
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        kind = "raw" if re.search(r"\.(png|svg|gif|jpe?g)$", target) else "blob"
        return f"{place}({repository}/{kind}/{tag}/{target})"

    return re.sub(r"(!?\[[^\]]*\])\(([^)\s]+)\)", absolute, text)


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
