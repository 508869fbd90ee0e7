"""The whole way from a project folder to a Bento in the staging store, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nb2prod.bento import digest, imports, package, pins
from nb2prod.bento.pins import Pins


@dataclass(frozen=True)
class Staged:
    """A packaged Bento that is not proved yet: what `store.promote` takes once it is."""

    name: str
    version: str
    folder: Path
    pins: Pins

    @property
    def tag(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"


def stage(project: Path, name: str, *, python: Path, store: Path, labels: Mapping[str, str] | None = None) -> Staged:
    """Pin the project's environment, give it its version and package it into the staging store.

    `python` is the interpreter of the notebook's kernel. Raises as `pins.resolve`, `pins.check` and
    `package.build` do: another Python or other packages than the proof would run with, code that a
    service must not carry, a project that BentoML can't package.
    """
    found = pins.resolve(imports.of_project(project), python)
    pins.check(found)
    version = digest.digest(project, found.requirements)
    spec = package.BentoSpec(name, version, found.python_version, found.requirements, labels or {})
    return Staged(name, version, package.build(project, spec, store), found)
