"""What a served Bento must do without: nb2prod itself, and every package that its environment does not pin.

Where the proof runs in nb2prod's own environment, all is installed. A folder put first on its
import path holds a `sitecustomize` module that hides those packages, as if they were not installed: a
Bento that needs one fails here, and not in production.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from nb2prod.environments import interpreter
from nb2prod.environments.served import ServedEnvironment

ALWAYS = frozenset({"nb2prod"})
_NEVER = frozenset({"pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel"})
"""Every Python environment may have these."""
_DROPPED = ("PYTHON", "BENTOML_", "NB2PROD_")

_SITECUSTOMIZE = '''"""Hides packages that the served environment does not have."""
import importlib.machinery
import importlib.util
import sys

HIDDEN = frozenset({hidden!r})
_find = importlib.machinery.PathFinder.find_spec


def _hiding(find):
    def find_spec(name, *args, **kwargs):
        return None if name.partition(".")[0] in HIDDEN else find(name, *args, **kwargs)

    return find_spec


class _Hiding:
    def __init__(self, inner):
        self._inner = inner
        self.find_spec = _hiding(inner.find_spec)

    def __getattr__(self, name):
        return getattr(self._inner, name)


_KNOWN = (importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, importlib.machinery.PathFinder)
importlib.machinery.PathFinder.find_spec = staticmethod(_hiding(_find))
sys.meta_path[:] = [
    item if item in _KNOWN or not hasattr(item, "find_spec") else _Hiding(item) for item in sys.meta_path
]


def _next_sitecustomize():
    here = __file__.rpartition("/")[0]
    spec = _find("sitecustomize", [path for path in sys.path if path != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_next_sitecustomize()
'''
"""Not a finder that raises: `importlib.util.find_spec` of what is missing must say None, as libraries ask it."""


def write(folder: Path, hidden: Iterable[str]) -> Path:
    """Write the `sitecustomize` that hides these top-level modules; `folder` is for PYTHONPATH."""
    folder.mkdir(parents=True, exist_ok=True)
    text = _SITECUSTOMIZE.replace("{hidden!r}", repr(sorted(hidden)))
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    return folder


def environment(home: Path, *, hidden: Iterable[str], hash_seed: int, path: Iterable[Path] = ()) -> dict[str, str]:
    """The environment variables of a process that serves a Bento; `home` is an empty folder for it.

    Nothing of the person's own Python, BentoML or nb2prod settings reaches it. `path` is put on its import path.
    """
    hidden = frozenset(hidden)
    blockers = [write(home / "path", hidden)] if hidden else []
    (home / "tmp").mkdir()
    (home / "cwd").mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    return {
        # With several servers on few cores, OpenMP's threads wait for each other: hundreds of times slower.
        "OMP_NUM_THREADS": "1",
        **kept,
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(home / "bentoml"),
        "PYTHONHASHSEED": str(hash_seed),
        "PYTHONPATH": os.pathsep.join(map(str, [*blockers, *path])),
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(home / "tmp"),
    }


def hidden_from(bento: Path, environment: ServedEnvironment) -> frozenset[str]:
    """The top-level modules that the Bento at this folder must not find: those that only packages outside
    of its pins provide. Where it pins nothing, nb2prod alone; none in an environment that was made of its pins.
    """
    if not environment.own:
        return frozenset()
    pinned = _pinned(bento / "env" / "python")
    if not pinned:
        return ALWAYS
    kept = _NEVER | sys.stdlib_module_names
    outside = {
        module
        for module, owners in _installed(tuple(map(_changed, sys.path))).items()
        if module not in kept and not any(owner in pinned for owner in owners)
    }
    return frozenset(outside) | ALWAYS


@functools.lru_cache(maxsize=1)
def _installed(_changes: tuple[int, ...]) -> dict[str, tuple[str, ...]]:
    """Canonical names of distributions by the top-level modules that they bring; read again once a folder of them changed."""
    return {module: tuple(item.key for item in owners) for module, owners in interpreter.own().by_module.items()}


def _changed(folder: str) -> int:
    """When something came to a folder or went from it; 0 where there is none."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


def _pinned(folder: Path) -> frozenset[str]:
    names: set[str] = set()
    for name in ("requirements.txt", "requirements.lock.txt"):
        file = folder / name
        if file.is_file():
            lines = file.read_text(encoding="utf-8").splitlines()
            names.update(_plain(match[0]) for line in lines if (match := re.match(r"[A-Za-z0-9][\w.-]*", line)))
    # With BentoML alone there was no closure to hold the Bento to.
    return frozenset(names) if names - {"bentoml"} else frozenset()


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
