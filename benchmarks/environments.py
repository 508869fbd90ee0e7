"""What the environment of a service costs: settled and made with an empty cache, from uv's cache, and when it is there already.

`python benchmarks/environments.py [NAME ...]`: for each kernel environment of the tests (`tests/matrix`), or those named. Exit 1 where a goal is missed: an
environment that is there costs a build at most two seconds, and none is made for nb2prod's own. Needs a package index.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[1]))

from nb2prod import __version__
from nb2prod.bento import build_environment, pins
from nb2prod.bento.build_environment import BuildEnvironment
from nb2prod.environments.uv import Sources
from tests.matrix.environments import ENVIRONMENTS, NoInterpreter, python_of
from tests.notebooks import load

GOAL = 2.0
"""Seconds that a build may take longer on a kernel of another environment, once that of its service is there."""
OWN = "nb2prod's own"
SERVED = ("pandas", "numpy", "sklearn", "pyarrow", "skops")
T = TypeVar("T")


def main(names: list[str]) -> int:
    """Print a line for each environment; the exit code."""
    print(f"nb2prod {__version__}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    print(f"{'kernel':24} {'packages':>8} {'cold s':>7} {'cache MB':>9} {'cached s':>9} {'own MB':>7} {'there s':>8}")
    missed = []
    for environment in ENVIRONMENTS:
        if names and environment.name not in names:
            continue
        try:
            python = python_of(environment, "kernel")
        except NoInterpreter as missing:
            print(f"{environment.name:24} {missing}")
            continue
        if measured(environment.name, python) > GOAL:
            missed.append(environment.name)
    if (not names or OWN in names) and not own_is_enough():
        missed.append(OWN)
    print(
        f"{'MISSED' if missed else 'met'} an environment that is there costs a build at most {GOAL:g} s: {', '.join(missed)}".rstrip(
            ": "
        )
    )
    return 1 if missed else 0


def measured(name: str, python: Path) -> float:
    """Make the environments of a small notebook on this kernel three times; the seconds of the last, in which all was there."""
    with tempfile.TemporaryDirectory(prefix="nb2prod-benchmark-") as scratch:
        root = Path(scratch)
        notebook = on_kernel(python, root)
        os.environ["NB2PROD_HOME"] = str(root / "first")
        made, cold = timed(lambda: prepare(notebook))
        os.environ["NB2PROD_HOME"] = str(root / "second")
        _, cached = timed(lambda: prepare(notebook))
        own = size(root / "second" / "environments", shared=False)
        _, there = timed(lambda: prepare(notebook))
        print(
            f"{name:24} {len(made):8} {cold:7.1f} {size(root / 'cache', shared=True) / 1e6:9.0f} {cached:9.1f} {own / 1e6:7.0f} {there:8.2f}"
        )
        return there


def own_is_enough() -> bool:
    """Whether nothing is made for a notebook that runs in nb2prod's own environment; prints what finding that out takes."""
    with tempfile.TemporaryDirectory(prefix="nb2prod-benchmark-") as scratch:
        root = Path(scratch)
        notebook = on_kernel(Path(sys.executable), root)
        os.environ["NB2PROD_HOME"] = str(root / "home")
        made, there = timed(lambda: prepare(notebook))
        own = size(root / "home", shared=True)
        print(f"{OWN:24} {len(made):8} {'':7} {'':9} {'':9} {own / 1e6:7.0f} {there:8.2f}")
        return own == 0 and there <= GOAL


def on_kernel(python: Path, root: Path) -> Path:
    """A small notebook below `root`, and a kernel `measured` of this interpreter that commands find there."""
    spec = root / "jupyter" / "kernels" / "measured"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(f'{{"argv": ["{python}"], "display_name": "measured", "language": "python"}}')
    os.environ |= {"JUPYTER_PATH": str(root / "jupyter"), "UV_CACHE_DIR": str(root / "cache")}
    return load.write("titanic_inline", root / "notebook")


def prepare(notebook: Path) -> tuple[str, ...]:
    """What a build does of it: where the plan is tried, and where the Bento is proved."""
    environment: BuildEnvironment = build_environment.of_notebook(notebook, "measured", Sources())
    found = pins.resolve(SERVED, environment.installed())
    environment.exact(found.requirements, Sources())
    return found.requirements


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What came of it, and the seconds that it took."""
    begun = time.perf_counter()
    return work(), time.perf_counter() - begun


def size(folder: Path, *, shared: bool) -> int:
    """Bytes of the files below a folder; only those that no other folder shares, unless `shared`."""
    found = (path.lstat() for path in folder.rglob("*") if path.is_file())
    return sum(status.st_size for status in found if shared or status.st_nlink == 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
