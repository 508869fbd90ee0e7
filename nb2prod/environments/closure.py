"""The closure of packages: what they need, and what that needs in turn, by markers and extras as installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nb2prod.environments.interpreter import Distribution, Environment

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

INSTALLERS = frozenset({"pip", "setuptools", "uv", "wheel"})
"""What only installs others: no part of what is served, wherever it happens to be loaded."""


def of(roots: Iterable[Distribution], environment: Environment) -> tuple[Distribution, ...]:
    """The `roots` and all that they need of what is installed in `environment`, by name; without `NEVER`.

    A requirement that is not installed was not needed when the notebook ran, and is left out.
    """
    return tuple(sorted(_walk(roots, environment), key=lambda item: item.key))


def _walk(roots: Iterable[Distribution], environment: Environment) -> Iterator[Distribution]:
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
        for requirement in _requirements(item, extra, environment):
            needed = environment.by_name.get(canonicalize_name(requirement.name))
            if needed is None or needed.key in NEVER:
                continue
            waiting += [(needed, name) for name in ("", *sorted(requirement.extras))]


def _requirements(item: Distribution, extra: str, environment: Environment) -> Iterator[Requirement]:
    for text in item.requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None:
            if not extra:
                yield requirement
        elif requirement.marker.evaluate({**environment.markers, "extra": extra}):
            yield requirement
