"""Modules that a notebook took from a folder which it put on its import path (`sys.path.append("../src")`), or its kernel did.

They lie neither beside the notebook nor in an installed package, so no pin brings them: like those beside it they go into the Bento.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from nb2prod.environments.interpreter import Environment

_PACKAGES = frozenset({"site-packages", "dist-packages"})
_LINKS = "path_modules"


def link(loaded: Mapping[str, Path], environment: Environment, folder: Path, beside: Path) -> Path:
    """Make a folder below `folder` that holds links to just those among the `loaded` modules of a kernel, under their names; returns it.

    `loaded` says the file (or folder, without an `__init__.py`) of each by its top-level name, `environment` is the kernel's. Of a package
    that the notebook's own folder `beside` is a part of, only Python files are linked: the others are the notebook's data.
    """
    links = linked(folder)
    links.mkdir(exist_ok=True)
    for name, place in _find(loaded, environment, beside).items():
        if place in beside.parents:
            for file in _sources(place):
                _link(links / name / file.relative_to(place), file)
        else:
            _link(links / f"{name}{place.suffix if place.is_file() else ''}", place)
    return links


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(target)


def _sources(package: Path) -> Iterator[Path]:
    """The Python files below a folder, without those in hidden folders and in environments."""
    for folder, inner, files in os.walk(package):
        inner[:] = [
            name for name in inner if not name.startswith(".") and not (Path(folder) / name / "pyvenv.cfg").exists()
        ]
        yield from (Path(folder) / name for name in files if name.endswith(".py"))


def linked(folder: Path) -> Path:
    """Where `link` puts the links for this folder; it need not exist."""
    return folder / _LINKS


def _find(loaded: Mapping[str, Path], environment: Environment, beside: Path) -> dict[str, Path]:
    """Those among the `loaded` modules, by name: a Python file, or the folder of a package."""
    found = {}
    for name, file in loaded.items():
        known = name in environment.standard_library or name in environment.by_module or name.startswith("_nb2prod")
        if known or not name.isidentifier() or _PACKAGES.intersection(file.parts):
            continue
        place = file.parent if file.name == "__init__.py" else file
        if place.parent != beside and (place.suffix == ".py" or place.is_dir()):
            found[name] = place
    return found
