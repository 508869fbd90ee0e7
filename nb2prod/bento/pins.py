"""The pinned environment of a Bento: exact versions of what its code and artifacts import, and of what those need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nb2prod.environments import closure
from nb2prod.environments.closure import NEVER
from nb2prod.environments.interpreter import Distribution, Environment
from nb2prod.errors import InputError

ALWAYS = frozenset({"bentoml", "pandas", "numpy", "msgspec", "starlette", "opentelemetry", "httptools", "uvloop"})
"""Modules that every Bento's runtime imports: traces only where an endpoint is set; uvicorn takes the last two by itself."""


@dataclass(frozen=True)
class Pins:
    """The outcome of `resolve`."""

    requirements: tuple[str, ...]
    """`name==version`, sorted, one for each distribution."""
    python_version: str
    platform: str
    missing: tuple[str, ...]
    """Imported modules that no installed distribution provides: the service will not find them elsewhere."""
    unpinnable: tuple[str, ...]
    """Distributions installed from a folder or an address: their pin may be on no index."""


def resolve(imports: Iterable[str], environment: Environment, *, loaded: Iterable[str] = ()) -> Pins:
    """Find the pins for these top-level modules, with their closure, in the environment that the service is tried in.

    `loaded` are the modules that a clean process had loaded when it answered: libraries take others as they need them, by no
    import that stands in the code. Raises `InputError` where the code imports what a service must not carry.
    """
    roots, missing = _roots(ALWAYS | frozenset(imports), environment)
    taken = {item.key: item for module in loaded for item in environment.by_module.get(module, ())}
    more = [item for key, item in taken.items() if key not in NEVER | closure.INSTALLERS]
    closed = closure.of([*roots, *more], environment)
    return Pins(
        requirements=tuple(item.pin for item in closed),
        python_version=environment.python_version,
        platform=environment.platform,
        missing=missing,
        unpinnable=tuple(item.key for item in closed if item.url),
    )


def _roots(wanted: frozenset[str], environment: Environment) -> tuple[tuple[Distribution, ...], tuple[str, ...]]:
    roots: dict[str, Distribution] = {}
    missing: list[str] = []
    for module in sorted(wanted):
        found = environment.by_module.get(module)
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
