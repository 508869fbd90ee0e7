"""The pinned environment of a Bento: exact versions of what its code and artifacts import, and of what those need.

Versions come from the *kernel's* environment, in which the notebook computed its results. What serving needs
and a kernel seldom has (BentoML and its dependencies) is filled in from nb2prod's own environment. The
proof runs in nb2prod's environment, so a package that both have must have the same version in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nb2prod.bento import environment
from nb2prod.bento.environment import Distribution, Environment
from nb2prod.errors import EnvironmentProblem, InputError

ALWAYS = frozenset({"bentoml", "pandas", "numpy", "msgspec", "starlette", "opentelemetry", "httptools", "uvloop"})
"""Modules that every Bento's runtime imports: traces only where an endpoint is set; uvicorn takes the last two by itself."""

LENT = ALWAYS | {"pyarrow"}
"""Modules that serving may need and a kernel need not have: nb2prod's own environment lends them."""

NEVER = frozenset(
    {
        "ipykernel",
        "ipywidgets",
        "jupyter",
        "jupyter-client",
        "jupyter-core",
        "jupyter-server",
        "jupyterlab",
        "nb2prod",
        "nbclient",
        "nbconvert",
        "nbformat",
        "notebook",
        "papermill",
    }
)
"""Distributions that no served environment may hold."""


@dataclass(frozen=True)
class Pins:
    """The outcome of `resolve`."""

    requirements: tuple[str, ...]
    """`name==version`, sorted, one for each distribution."""
    python_version: str
    missing: tuple[str, ...]
    """Imported modules that no installed distribution provides: the service will not find them elsewhere."""
    filled: tuple[str, ...]
    """Distributions that the kernel lacks and nb2prod's environment lent."""
    unpinnable: tuple[str, ...]
    """Distributions installed from a folder or an address: their pin may be on no index."""
    differences: tuple[str, ...]
    """`name: 1.0 in the notebook's kernel, 2.0 where the proof runs`, for each package of which this is true."""


def closure(imports: Iterable[str], python: Path) -> tuple[str, ...]:
    """The exact pins for these imported modules, by the interpreter of the notebook's kernel.

    Raises as `resolve` does.
    """
    return resolve(imports, python).requirements


def resolve(imports: Iterable[str], python: Path, *, proving: Environment | None = None) -> Pins:
    """Find the pins for these top-level modules, with their closure by markers and extras.

    `python` is the kernel's interpreter; `proving` the environment that packages and proves (by default
    the one that runs this). Raises `EnvironmentProblem` for another Python version than the proving one,
    and `InputError` where the code imports what a service must not carry.
    """
    proving = proving or environment.own()
    kernel = proving if _same(python, proving.python) else environment.read(python)
    if kernel.python_version != proving.python_version:
        raise EnvironmentProblem(
            f"the notebook's kernel runs Python {kernel.python_version} ({python}), "
            f"and nb2prod runs Python {proving.python_version}: what is proved would not be what is served",
            f"Install nb2prod with Python {kernel.python_version}, or give the notebook "
            f"a kernel with Python {proving.python_version}.",
        )
    wanted = ALWAYS | frozenset(imports)
    roots, missing = _roots(wanted, kernel, proving)
    closed = tuple(sorted(_closure(roots, kernel, proving), key=lambda item: item.key))
    return Pins(
        requirements=tuple(item.pin for item in closed),
        python_version=kernel.python_version,
        missing=missing,
        filled=tuple(item.key for item in closed if item.key not in kernel.by_name),
        unpinnable=tuple(item.key for item in closed if item.url),
        differences=tuple(_differences(closed, kernel, proving)),
    )


def check(pins: Pins) -> None:
    """Raise `EnvironmentProblem`, naming each package, where these pins are not what the proof would run with."""
    if pins.differences:
        raise EnvironmentProblem(
            "the notebook's kernel and nb2prod's environment differ in what the service needs:\n"
            + "\n".join(f"  {line}" for line in pins.differences),
            "Install nb2prod in the kernel's environment, or the same versions in both.",
        )


def _same(one: Path, other: Path) -> bool:
    # Not resolved: a virtual environment's python is a link to one that has other packages.
    return one.absolute() == other.absolute()


def _roots(
    wanted: frozenset[str], kernel: Environment, proving: Environment
) -> tuple[tuple[Distribution, ...], tuple[str, ...]]:
    roots: dict[str, Distribution] = {}
    missing: list[str] = []
    for module in sorted(wanted):
        found = kernel.by_module.get(module) or (proving.by_module.get(module) if module in LENT else None)
        if not found:
            missing.append(module)
        for item in found or ():
            if item.key in NEVER:
                raise InputError(
                    f"the code to be served imports {module!r} ({item.name}), which a service must not carry",
                    f"Move the import of {module!r}, and what uses it, to a cell that the prediction does not need.",
                )
            roots[item.key] = item
    return tuple(roots.values()), tuple(missing)


def _closure(roots: tuple[Distribution, ...], kernel: Environment, proving: Environment) -> Iterator[Distribution]:
    done: set[tuple[str, str]] = set()
    given: set[str] = set()
    waiting: list[tuple[Distribution, str]] = [(item, "") for item in roots]
    while waiting:
        item, extra = waiting.pop()
        if (item.key, extra) in done:
            continue
        done.add((item.key, extra))
        if item.key not in given:
            given.add(item.key)
            yield item
        for requirement in _requirements(item, extra, kernel):
            key = canonicalize_name(requirement.name)
            needed = kernel.by_name.get(key) or proving.by_name.get(key)
            if needed is None or key in NEVER:
                continue  # not installed: it was not needed when the notebook ran, nor in the proof
            waiting += [(needed, name) for name in ("", *sorted(requirement.extras))]


def _requirements(item: Distribution, extra: str, kernel: Environment) -> Iterator[Requirement]:
    for text in item.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None:
            if not extra:
                yield requirement
        elif requirement.marker.evaluate({**kernel.markers, "extra": extra}):
            yield requirement


def _differences(closed: Iterable[Distribution], kernel: Environment, proving: Environment) -> Iterator[str]:
    for item in closed:
        here, there = kernel.by_name.get(item.key), proving.by_name.get(item.key)
        if there is None:
            yield f"{item.key}: {item.version} in the notebook's kernel, none where the proof runs"
        elif here is not None and not _equal(here.version, there.version):
            yield f"{item.key}: {here.version} in the notebook's kernel, {there.version} where the proof runs"


def _equal(one: str, other: str) -> bool:
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
