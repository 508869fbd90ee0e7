"""Prints, as one JSON document, what is installed for the interpreter that runs it.

Run by `interpreter` with the *kernel's* Python, where neither nb2prod nor anything else may be installed: so the
standard library only, and nothing newer than Python 3.8. It decides nothing; markers, extras and the
choice of packages are worked out by its reader, with these facts.
"""

from __future__ import annotations

import csv
import inspect
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path, PurePath


def describe(distribution: metadata.Distribution) -> dict[str, object] | None:
    """One installed distribution, or None where its metadata is broken."""
    try:
        about = distribution.metadata
        name, version = about["Name"], about["Version"]
        requires = about.get_all("Requires-Dist") or distribution.requires
    except Exception:  # noqa: BLE001 - broken metadata raises whatever its files make it raise
        return None
    if not name or not version:
        return None
    return {
        "name": name,
        "version": version,
        "requires": list(requires or []),
        "modules": sorted(modules(distribution, name)),
        "url": direct_url(distribution),
        "installer": (distribution.read_text("INSTALLER") or "").strip(),
    }


def modules(distribution: metadata.Distribution, name: str) -> set[str]:
    """Top-level modules of a distribution, from top_level.txt or else from the list of its files."""
    declared = (distribution.read_text("top_level.txt") or "").split()
    if declared:
        return {name.replace("/", ".") for name in declared}
    found = set()
    for first, is_folder in recorded(distribution) or listed(distribution.files or listed_beside(distribution, name)):
        module = first if is_folder else inspect.getmodulename(first)
        if module and module.isidentifier() and module != "__pycache__":
            found.add(module)
    return found


def recorded(distribution: metadata.Distribution) -> set[tuple[str, bool]]:
    """The first part of each path that a wheel's RECORD names, and whether it is a folder; empty where there is no such list.

    `distribution.files` says the same, but makes a path of every file and looks whether it is there: half a second for a kernel's packages.
    """
    paths = (row[0].partition("/") for row in csv.reader((distribution.read_text("RECORD") or "").splitlines()) if row)
    return {(first, bool(below)) for first, below, _ in paths}


def listed(files: list[metadata.PackagePath] | list[PurePath]) -> set[tuple[str, bool]]:
    """The first part of each of these paths, and whether it is a folder."""
    return {(file.parts[0], len(file.parts) > 1) for file in files}


def listed_beside(distribution: metadata.Distribution, name: str) -> list[PurePath]:
    """What stands for the list of files where a system's packager left that out: a module of the distribution's name."""
    name = name.replace("-", "_")
    files = [PurePath(spelled + ending) for spelled in (name, name.lower()) for ending in ("/__init__.py", ".py")]
    return [file for file in files if Path(str(distribution.locate_file(file))).is_file()]


def direct_url(distribution: metadata.Distribution) -> str:
    """Where it was installed from when that was a folder or an address, else an empty string."""
    try:
        return str(json.loads(distribution.read_text("direct_url.json") or "{}").get("url", ""))
    except ValueError:
        return ""


def markers() -> dict[str, str]:
    """The environment that requirement markers are evaluated in (PEP 508)."""
    info = sys.implementation.version
    release = f"{info.major}.{info.minor}.{info.micro}"
    if info.releaselevel != "final":
        release += info.releaselevel[0] + str(info.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": release,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def main() -> None:
    """Print the document."""
    if sys.path and sys.path[0] == "":
        del sys.path[0]  # "python -c" looks in the current folder first; a kernel's packages are elsewhere
    found = [describe(item) for item in metadata.distributions()]
    document = {
        "markers": markers(),
        "prefix": sys.prefix,
        "standard_library": sorted(getattr(sys, "stdlib_module_names", sys.builtin_module_names)),
        "distributions": [item for item in found if item],
    }
    sys.stdout.write(json.dumps(document) + "\n")


main()
