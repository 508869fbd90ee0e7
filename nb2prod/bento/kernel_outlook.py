"""What is known before a run of the kernel that will run, and of the environment that its service will be tried in."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from typing import Any

from nb2prod.config import Options
from nb2prod.environments import kernels
from nb2prod.environments.interpreter import Environment
from nb2prod.environments.uv import Sources
from nb2prod.errors import EnvironmentProblem
from nb2prod.notebook import Notebook

_NAMED = ("pandas", "numpy", "scikit-learn", "polars")
_MEGABYTE = 1e6


@dataclass(frozen=True)
class KernelOutlook:
    """What a build would find. `problem` (with its `hint`) is set where it would end before the run.

    `made`: whether the environment that the service is tried in is there; `packages` how many it has; `download` how many of them
    would be fetched, `megabytes` how much that is. None where it was not asked, or could not be told.
    """

    kernel: str
    python: str | None = None
    executable: str | None = None
    versions: tuple[tuple[str, str], ...] = ()
    own: bool = False
    made: bool | None = None
    packages: int | None = None
    download: int | None = None
    megabytes: float | None = None
    problem: str | None = None
    hint: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The object `kernel` of `check --json`."""
        return {**asdict(self), "versions": dict(self.versions), "sentence": self.sentence}

    @property
    def sentence(self) -> str:
        """All of it for a reader."""
        if self.python is None:
            return self.problem or f"{self.kernel}: only the running kernel can tell its Python"
        named = ", ".join(f"{name} {version}" for name, version in self.versions)
        return f"{self.kernel}: Python {self.python} ({self.executable}){', ' if named else ''}{named}; {self._environment}"

    @property
    def _environment(self) -> str:
        if self.problem is not None:
            return self.problem
        if self.own:
            return "the service runs in the same environment"
        if self.made:
            return "the environment of its service is made already"
        size = "" if not self.megabytes else f", {self.megabytes:.0f} MB"
        fetched = "none to download" if self.download == 0 else f"{self.download} to download{size}"
        return f"the environment of its service will be made: {self.packages} packages, {fetched}"


def of(notebook: Notebook, options: Options) -> KernelOutlook:
    """The outlook for a notebook. Nothing is run or made; what versions fit is asked of the package index once and kept."""
    name = options.kernel or notebook.kernel
    sources = Sources(options.find_links, options.offline)
    found = KernelOutlook(name)
    try:
        kernel = kernels.find(name)
        if kernel.python is None:
            return found
        if kernel.is_own:
            return _own(name)
        environment = kernels.inspect(kernel.python, name, kernel.variables)
        found = _described(name, environment)
        return _with_environment(found, notebook, environment, sources)
    except EnvironmentProblem as problem:
        return replace(found, problem=problem.message, hint=problem.hint)


def _own(name: str) -> KernelOutlook:
    """Of the interpreter that runs this, which need not be asked."""
    versions = []
    for package in _NAMED:
        try:
            versions.append((package, metadata.version(package)))
        except metadata.PackageNotFoundError:
            continue
    return KernelOutlook(name, platform.python_version(), sys.executable, tuple(versions), own=True)


def _described(name: str, environment: Environment) -> KernelOutlook:
    known = ((package, environment.version_of(package)) for package in _NAMED)
    versions = tuple((package, version) for package, version in known if version is not None)
    return KernelOutlook(name, environment.full_version, str(environment.python), versions)


def _with_environment(
    found: KernelOutlook, notebook: Notebook, environment: Environment, sources: Sources
) -> KernelOutlook:
    from nb2prod.bento import build_environment
    from nb2prod.environments import lock, store

    asked = lock.wanted(environment, build_environment.modules_of(notebook, environment), sources)
    pins = lock.settle(asked, sources)
    local = build_environment.local_wheels(asked, sources)
    order = store.Order(environment.python, environment.full_version, environment.platform, pins, local)
    if store.find(order.key) is not None:
        return replace(found, made=True, packages=len(pins))
    missing = store.uncached(pins, environment.python, sources)
    return replace(
        found,
        made=False,
        packages=len(pins),
        download=len(missing),
        megabytes=_megabytes(missing, environment, sources),
    )


def _megabytes(pins: Iterable[str], environment: Environment, sources: Sources) -> float | None:
    from nb2prod.environments import sizes

    total = sizes.total(tuple(pins), environment.python, sources)
    return None if total is None else round(total / _MEGABYTE, 1)
