"""The two environments of a build: the one that the notebook's kernel runs in, and the one that its service is tried in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nb2prod.bento import imports
from nb2prod.environments import interpreter, kernels, lock, served
from nb2prod.environments.interpreter import Environment
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

    def installed(self) -> Environment:
        """What is installed where the plan is tried."""
        return self.kernel if self.tried.own else interpreter.read(self.tried.python)

    def exact(self, pins: Iterable[str], sources: Sources) -> ServedEnvironment:
        """The environment of just these pins of what is installed where the plan is tried; that one itself where it has no more.

        Raises `EnvironmentProblem` where it can't be made.
        """
        return self.tried if self.tried.own else served.of_pins(pins, self.kernel, sources)


def of_notebook(path: Path, kernel: str | None, sources: Sources) -> BuildEnvironment:
    """The environments for the notebook in this file, on its own kernel or another one; made where they are not there yet.

    Raises `EnvironmentProblem` as `before_run` does, and where only the running kernel can tell its interpreter.
    """
    notebook = read(path)
    python, name = _python_of(notebook, kernel)
    return _prepared(notebook, python, name, sources)


def asked_for(path: Path, kernel: str | None, sources: Sources) -> Wanted:
    """What would be asked for, for the notebook in this file; nothing is made."""
    notebook = read(path)
    environment = kernels.inspect(*_python_of(notebook, kernel))
    return lock.wanted(environment, modules_of(notebook, environment), sources)


def _python_of(notebook: Notebook, kernel: str | None) -> tuple[Path, str]:
    found = kernels.find(kernel or notebook.kernel)
    if found.python is None:
        raise EnvironmentProblem(
            f"the kernel {found.name!r} is started by a program that hides its Python",
            "Build the notebook: the running kernel says what it runs on.",
        )
    return found.python, found.name


def before_run(notebook: Notebook, name: str, sources: Sources) -> BuildEnvironment | None:
    """The environments of a build on the kernel of this `name`, made before the notebook runs.

    None where only the running kernel can tell its interpreter. Raises `EnvironmentProblem` where the kernel can't be used, or what
    the notebook imports can't be had for a service.
    """
    kernel = kernels.find(name)
    return None if kernel.python is None else _prepared(notebook, kernel.python, name, sources)


def after_run(
    notebook: Notebook, python: Path, name: str, sources: Sources, known: BuildEnvironment | None
) -> BuildEnvironment:
    """The same for the interpreter `python` that the kernel turned out to run: `known` where that is the one that was expected."""
    if known is not None and _same(known.kernel.python, python):
        return known
    return _prepared(notebook, python, name, sources)


def modules_of(notebook: Notebook, environment: Environment) -> frozenset[str]:
    """The top-level modules that the notebook's cells import, and the modules of its folder in turn; its own folder's not."""
    found = frozenset[str]().union(*map(_imported, notebook.code_cells))
    folder = notebook.path.parent
    local = imports.local_modules(found, folder, environment)
    inner = [imports.of_source(text) for path in local for text in imports.module_sources(folder / path)]
    own = {path.stem if path.suffix else path.name for path in local}
    return found.union(*inner) - own - environment.standard_library


def _prepared(notebook: Notebook, python: Path, name: str, sources: Sources) -> BuildEnvironment:
    kernel = kernels.inspect(python, name)
    return BuildEnvironment(kernel, served.of_kernel(kernel, modules_of(notebook, kernel), sources))


def _imported(cell: Cell) -> frozenset[str]:
    try:
        return imports.of_source(python_source(cell))
    except SyntaxError:
        return frozenset()  # an untagged cell: the run will say so


def _same(one: Path, other: Path) -> bool:
    # The folder is not resolved: a virtual environment's python is a link to one that has other packages.
    return one.absolute().parent == other.absolute().parent and one.resolve() == other.resolve()
