"""The source text that installs the recorder in a kernel which need not have nb2prod."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

MODULES = (
    "numbering", "guard", "library_settings", "lineage", "frames", "infer", "no_rows", "arguments", "fitted", "raw_tables", "snapshots", "views",
    "row_digests", "taken", "operations", "scoping", "definitions", "instrument", "originals", "answers", "writer", "run", "predictions", "tables_in",
    "observer", "followed_calls", "comprehensions", "loops", "statements", "updates", "reads", "lengths", "selections", "freezing", "fitting", "recorder",
)  # fmt: skip
"""Each after those that it imports."""
RERUN_MODULES = (*MODULES, "changes", "scratch", "rerun")
PACKAGE = "_nb2prod_recorder"

_LOADER = """
def _nb2prod_install(sources, package, folder, roles, lent, *job):
    import sys, types
    parent = types.ModuleType(package)
    parent.__path__ = []
    sys.modules[package] = parent
    for name, text in sources:
        module = types.ModuleType(package + "." + name)
        module.__package__ = package
        sys.modules[module.__name__] = module
        setattr(parent, name, module)
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
    return _source(MODULES, folder, roles, lent)


def rerun_source(folder: str, roles: dict[str, list[str]], job: dict[str, Any], lent: str | None = None) -> str:
    """The same for a second run, with other values in some rows; `job` says which (`kernel/rerun.py`)."""
    return _source(RERUN_MODULES, folder, roles, lent, job)


def _source(modules: tuple[str, ...], folder: str, *arguments: Any) -> str:
    here = resources.files("nb2prod.recording.kernel")
    texts = [(name, (here / f"{name}.py").read_text(encoding="utf-8")) for name in modules]
    return _LOADER.format(payload=repr(json.dumps([texts, PACKAGE, folder, *arguments])))
