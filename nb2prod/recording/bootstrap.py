"""The source text that installs the recorder in a kernel which need not have nb2prod."""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

PACKAGE = "_nb2prod_recorder"

_LOADER = """
def _nb2prod_install(sources, package, folder, roles, lent, *job):
    import sys, types
    parent = types.ModuleType(package)
    parent.__path__ = []
    sys.modules[package] = parent
    modules = []
    for name, is_package, text in sources:
        module = types.ModuleType(package + "." + name)
        module.__package__ = module.__name__ if is_package else module.__name__.rpartition(".")[0]
        if is_package:
            module.__path__ = []
        sys.modules[module.__name__] = module
        modules.append(module)
    for module, (name, is_package, text) in zip(modules, sources):
        around, _, last = module.__name__.rpartition(".")
        setattr(sys.modules[around], last, module)
        exec(compile(text, "<nb2prod " + name + ">", "exec"), module.__dict__)
    parent.snapshots.LENT = lent
    module.install(folder, roles, get_ipython(), *job)
_nb2prod_install(*__import__("json").loads({payload}))
del _nb2prod_install
"""


def source(folder: str, roles: dict[str, list[str]], lent: str | None = None) -> str:
    """The code to execute silently in the kernel before the first cell.

    `folder` is where the recorder writes; `roles` maps a tree's digest to the tags of its cell.
    `lent` is a folder of packages that the recorder may use where the kernel lacks one.
    """
    return _source("recorder", folder, roles, lent)


def rerun_source(folder: str, roles: dict[str, list[str]], job: dict[str, Any], lent: str | None = None) -> str:
    """The same for a second run, with other values in some rows; `job` says which (`kernel/rerun.py`)."""
    return _source("rerun", folder, roles, lent, job)


def _source(last: str, folder: str, *arguments: Any) -> str:
    return _LOADER.format(payload=repr(json.dumps([sources(last), PACKAGE, folder, *arguments])))


@functools.cache
def sources(last: str) -> list[tuple[str, bool, str]]:
    """A module of the kernel's package and all that it imports there, each after those that it needs: name, whether it is a package, text."""
    found: dict[str, tuple[str, bool, str]] = {}
    _add(last, found)
    return list(found.values())


def _add(name: str, found: dict[str, tuple[str, bool, str]]) -> None:
    text, is_package = _text(name)
    for other in _imported(ast.parse(text), name, is_package):
        if other not in found and other != name:
            _add(other, found)
    found[name] = (name, is_package, text)


def _text(name: str) -> tuple[str, bool]:
    """The text of a module, or of a package's own module."""
    place = resources.files("nb2prod.recording.kernel").joinpath(*name.split("."))
    inside = place / "__init__.py"
    if inside.is_file():
        return inside.read_text(encoding="utf-8"), True
    return place.parent.joinpath(f"{place.name}.py").read_text(encoding="utf-8"), False  # type: ignore[attr-defined]


def _imported(tree: ast.Module, name: str, is_package: bool) -> Iterator[str]:
    """The modules of the kernel's package that a module imports as it is run; what stands under ``TYPE_CHECKING`` is not."""
    around = name.split(".") if is_package else name.split(".")[:-1]
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            package = around[: len(around) - node.level + 1]
            if node.module is not None:
                yield ".".join([*package, node.module])
            else:
                yield from (".".join([*package, alias.name]) for alias in node.names)
