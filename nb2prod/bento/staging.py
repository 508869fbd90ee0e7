"""The whole way from a project folder to a Bento in the staging store, in one call."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nb2prod.bento import digest, imports, package, pins, project
from nb2prod.bento.pins import Pins
from nb2prod.environments import pinned, wheels
from nb2prod.environments.interpreter import Environment
from nb2prod.errors import InputError


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


@dataclass(frozen=True)
class Request:
    """What a Bento is packaged from besides its project: its `name`, its `labels`, and the top-level modules `loaded` when it answered, the `loose` ones of no package."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    loaded: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    wheels: tuple[Path, ...] = ()
    """Of packages that no index need have: those that are pinned go along."""


def stage(folder: Path, request: Request, *, environment: Environment, store: Path) -> Staged:
    """Pin the environment of the project in `folder`, give it its version and package it into the staging store.

    `environment` is what is installed where the project was tried. Raises `InputError` for code that a service must not carry and for
    a module that it used and would not have, and as `package.build` does where BentoML can't package the project.
    """
    found = _pins(folder, environment, request.loaded)
    check_provided(found, request.loose)
    project.write_json(folder / pinned.FILE, pinned.describe(environment))
    _copy_wheels(wheels.among(found.requirements, request.wheels), folder / pinned.WHEELS)
    version = digest.digest(folder, found.requirements)
    spec = package.BentoSpec(request.name, version, found.python_version, found.requirements, request.labels)
    return Staged(request.name, version, package.build(folder, spec, store, environment.python), found)


def _copy_wheels(found: tuple[Path, ...], target: Path) -> None:
    if found:
        target.mkdir(exist_ok=True)
    for wheel in found:
        shutil.copyfile(wheel, target / wheel.name)


def _pins(folder: Path, environment: Environment, loaded: Iterable[str]) -> Pins:
    modules = imports.of_project(folder, environment.standard_library)
    own = {path.stem if path.suffix else path.name for path in folder.iterdir()}
    return pins.resolve(modules, environment, loaded=set(loaded) - own - environment.standard_library)


def check_provided(found: Pins, loose: Iterable[str]) -> None:
    """Raise `InputError` where one of the `loose` modules that were loaded to answer is imported by what is served.

    An import that is missing and was not loaded either is one that the code does without.
    """
    if unknown := sorted(set(found.missing) & set(loose)):
        raise InputError(
            f"the served code uses {', '.join(map(repr, unknown))}, which no installed package says that it has: a service would not have it",
            "Install it as a package; a module beside the notebook goes into the Bento if it is a Python file.",
        )
