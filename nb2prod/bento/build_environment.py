"""The two environments of a build: the one that the notebook's kernel runs in, and the one that its service is tried in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nb2prod.bento import imports
from nb2prod.environments import closure, interpreter, kernels, lock, served, wheels
from nb2prod.environments.interpreter import Environment
from nb2prod.environments.kernels import Kernel
from nb2prod.environments.lock import Wanted
from nb2prod.environments.served import ServedEnvironment
from nb2prod.environments.uv import Sources
from nb2prod.errors import EnvironmentProblem
from nb2prod.notebook import Cell, Notebook, python_source, read


@dataclass(frozen=True)
class BuildEnvironment:
    """What is installed for the `kernel`, and where the plan is `tried`; both are nb2prod's own where the kernel runs there."""

    kernel: Environment
    tried: ServedEnvironment
    wheels: tuple[Path, ...] = ()
    """Of packages that the kernel has from a folder or an address, from the folders that the build was given: they go along in the Bento."""

    def installed(self) -> Environment:
        """What is installed where the plan is tried."""
        return self.kernel if self.tried.own else interpreter.read(self.tried.python)

    def exact(self, pins: Iterable[str], sources: Sources) -> ServedEnvironment:
        """The environment of just these pins of what is installed where the plan is tried; that one itself where it has no more.

        Raises `EnvironmentProblem` where it can't be made.
        """
        return self.tried if self.tried.own else served.of_pins(pins, self.kernel, sources, self.wheels)


def of_notebook(path: Path, kernel: str | None, sources: Sources) -> BuildEnvironment:
    """The environments for the notebook in this file, on its own kernel or another one; made where they are not there yet.

    Raises `EnvironmentProblem` as `before_run` does, and where only the running kernel can tell its interpreter.
    """
    notebook = read(path)
    return _prepared(notebook, _installed(notebook, kernel), sources)


def asked_for(path: Path, kernel: str | None, sources: Sources) -> Wanted:
    """What would be asked for, for the notebook in this file; nothing is made."""
    notebook = read(path)
    environment = _installed(notebook, kernel)
    return lock.wanted(environment, modules_of(notebook, environment), sources)


def _installed(notebook: Notebook, kernel: str | None) -> Environment:
    found = kernels.find(kernel or notebook.kernel)
    installed = _known(found)
    if installed is None:
        raise EnvironmentProblem(
            f"the kernel {found.name!r} is started by a program that hides its Python",
            "Build the notebook: the running kernel says what it runs on.",
        )
    return installed


def _known(kernel: Kernel) -> Environment | None:
    """What is installed for a kernel; None where only the running kernel can tell its interpreter."""
    return None if kernel.python is None else kernels.inspect(kernel.python, kernel.name, kernel.variables)


def before_run(notebook: Notebook, name: str, sources: Sources) -> BuildEnvironment | None:
    """The environments of a build on the kernel of this `name`, made before the notebook runs.

    None where only the running kernel can tell its interpreter. Raises `EnvironmentProblem` where the kernel can't be used, or what
    the notebook imports can't be had for a service.
    """
    installed = _known(kernels.find(name))
    return None if installed is None else _prepared(notebook, installed, sources)


@dataclass(frozen=True)
class RunKernel:
    """What a kernel turned out to be when it ran: its interpreter, and the top-level modules that it had `loaded` in the end, with their files."""

    name: str
    python: Path
    loaded: Mapping[str, Path]


def after_run(notebook: Notebook, ran: RunKernel, sources: Sources, known: BuildEnvironment | None) -> BuildEnvironment:
    """The environments for the kernel as it ran: those that are `known` from before the run, unless it has shown more.

    A notebook need not import what it uses: a model that is read from a file brings its library, and pandas takes what it finds.
    """
    if known is not None and known.tried.own:
        return known
    expected = known is not None and interpreter.is_same(known.kernel.python, ran.python)
    kernel = known.kernel if known is not None and expected else kernels.inspect(ran.python, ran.name)
    return _prepared(notebook, kernel, sources, _uncalled(frozenset(ran.loaded), kernel, sources))


def _uncalled(loaded: frozenset[str], environment: Environment, sources: Sources) -> frozenset[str]:
    """Modules that were loaded without being a part of Jupyter's own machinery, of packages that can be had elsewhere."""
    shell = environment.by_name.get("ipykernel")
    machinery = {item.key for item in closure.of([shell] if shell else [], environment)}
    return frozenset(
        module
        for module in loaded
        if any(
            item.key not in machinery and (not item.url or sources.find_links)
            for item in environment.by_module.get(module, ())
        )
    )


def modules_of(notebook: Notebook, environment: Environment) -> frozenset[str]:
    """The top-level modules that the notebook's cells import, and the modules of its folder in turn; its own folder's not."""
    found = frozenset[str]().union(*map(_imported, notebook.code_cells))
    folder = notebook.path.parent
    local = imports.local_modules(found, (folder,), environment)
    inner = [imports.of_module(path) for path in local]
    own = {path.stem if path.suffix else path.name for path in local}
    return found.union(*inner) - own - environment.standard_library


def _prepared(
    notebook: Notebook, kernel: Environment, sources: Sources, loaded: frozenset[str] = frozenset()
) -> BuildEnvironment:
    modules = modules_of(notebook, kernel) | loaded
    local = local_wheels(lock.wanted(kernel, modules, sources), sources) if sources.find_links else ()
    return BuildEnvironment(kernel, served.of_kernel(kernel, modules, sources, local), local)


def local_wheels(asked: Wanted, sources: Sources) -> tuple[Path, ...]:
    """The wheels that stand for what the kernel has from a folder or an address. `EnvironmentProblem` where one is in none of the places given."""
    pins = [item.pin for item in asked.hard if item.url]
    return wheels.local(pins, asked.environment.python_version, sources)


def _imported(cell: Cell) -> frozenset[str]:
    try:
        return imports.of_source(python_source(cell))
    except SyntaxError:
        return frozenset()  # an untagged cell: the run will say so
