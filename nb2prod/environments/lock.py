"""Exact pins of an environment that can run what a notebook's kernel ran, and serve it.

What the notebook imports, with all that this needs, has the kernel's own versions: those bind. What the runtime of a Bento needs
besides is settled by uv against them; where there is a choice, the kernel's version is preferred, then nb2prod's own, with which
it was tested.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.version import InvalidVersion, Version

from nb2prod import home
from nb2prod.environments import closure, uv
from nb2prod.environments.interpreter import Distribution, Environment
from nb2prod.environments.uv import Sources
from nb2prod.errors import EnvironmentProblem, InputError

RUNTIME = (
    # Exact: the served Bento's file layout and lock format are BentoML's, and they move between its releases.
    "bentoml==1.4.39",
    "cloudpickle>=2.2",
    "httptools>=0.6.3",
    "msgspec>=0.19",
    "numpy>=1.26",
    "opentelemetry-exporter-otlp-proto-http>=1.20",
    "pandas>=2.0",
    "pyarrow>=12",
    "skops>=0.10",
    "starlette>=0.27",
    "uvloop>=0.19",
)
"""What the runtime of a Bento needs, or what reading its artifacts may."""

SHARED = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "skops", "cloudpickle")
"""Distributions that have the kernel's version wherever it has them, imported by the notebook or not."""

_FIRST_FOR_NUMPY_2 = 26
"""pyarrow from this release on refuses numpy 1 when it is imported, and says so in no metadata."""


@dataclass(frozen=True)
class Settled:
    """Exact pins for a Python (major and minor)."""

    python: str
    pins: tuple[str, ...]
    wheels: tuple[Path, ...] = ()
    """Files that stand for some of the pins: of packages that no index need have."""


@dataclass(frozen=True)
class Wanted:
    """What an environment is asked for: `hard` pins of the kernel, in whose interpreter it is made."""

    environment: Environment
    hard: tuple[Distribution, ...]

    @property
    def requirements(self) -> tuple[str, ...]:
        """For uv, sorted: the kernel's pins, and what the runtime needs."""
        pinned = {item.key: item.pin for item in self.hard}
        asked = [text for text in RUNTIME if _name(text) not in pinned or text.startswith("bentoml")]
        numpy = next((item.version for item in self.hard if item.key == "numpy"), "2")
        if numpy.startswith("1.") and "pyarrow" not in pinned:
            asked.append(f"pyarrow<{_FIRST_FOR_NUMPY_2}")
        return tuple(sorted({*asked, *pinned.values()}))

    @property
    def key(self) -> str:
        """By which the settled pins are kept."""
        text = json.dumps([self.environment.full_version, self.environment.platform, self.requirements])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def wanted(environment: Environment, modules: Iterable[str], sources: Sources) -> Wanted:
    """What these top-level modules are in the kernel's environment, and all that they need, as an environment to ask for.

    Raises `EnvironmentProblem` where one of the packages was installed from a folder or an address, which no index need have.
    """
    roots = {item.key: item for module in modules for item in environment.by_module.get(module, ())}
    roots |= {name: environment.by_name[name] for name in SHARED if name in environment.by_name}
    kept = [item for item in roots.values() if item.key not in closure.NEVER | closure.INSTALLERS | {"ipython"}]
    hard = tuple(item for item in closure.of(kept, environment) if item.key not in closure.INSTALLERS)
    if not sources.find_links:
        check_indexed(hard)
    return Wanted(environment, hard)


def check_indexed(distributions: Iterable[Distribution]) -> None:
    """Raise `EnvironmentProblem`, naming each, where some were installed from a folder or an address.

    An index may have another package of that name: its code must not be served in place of the user's.
    """
    found = [item for item in distributions if item.url]
    if found:
        listed = "\n".join(f"  {item.pin} from {item.url}" for item in found)
        raise EnvironmentProblem(
            f"the notebook uses packages that were installed from a folder or an address, and the service can't install them from there:\n{listed}",
            "Make a wheel of each (python -m pip wheel --no-deps --wheel-dir wheels FOLDER) and build with --find-links wheels; "
            "or install them from a package index.",
        )


def settle(asked: Wanted, sources: Sources) -> tuple[str, ...]:
    """The exact pins, `name==version` each, sorted; kept, so that the same question is not asked again.

    Raises `uv.Unsolvable` where none fit or a package can't be found.
    """
    known = settled(asked)
    if known is not None:
        return known
    folder = home.make(_folder())
    source, part, target = (folder / f"{asked.key}{ending}" for ending in (".in", ".part", ".txt"))
    source.write_text("\n".join(asked.requirements) + "\n", encoding="utf-8")
    # uv prefers the versions of a file that is there already, and gives up those that do not fit.
    part.write_text("".join(f"{name}=={version}\n" for name, version in _preferred(asked)), encoding="utf-8")
    try:
        uv.run(
            [
                *("pip", "compile", str(source), "--python", str(asked.environment.python), "--output-file", str(part)),
                *("--no-annotate", "--no-header", *sources.options()),
            ],
            purpose="the environment that serves this notebook can't be settled",
        )
    except uv.Unsolvable as problem:
        raise _with_file(problem, asked, source) from problem
    pins = tuple(sorted(line.strip() for line in part.read_text(encoding="utf-8").splitlines() if "==" in line))
    part.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
    part.replace(target)
    return pins


def settled(asked: Wanted) -> tuple[str, ...] | None:
    """The pins that were settled for this before, or None."""
    try:
        text = (_folder() / f"{asked.key}.txt").read_text(encoding="utf-8")
    except OSError:
        return None
    return tuple(text.split("\n")[:-1])


def _with_file(problem: uv.Unsolvable, asked: Wanted, source: Path) -> uv.Unsolvable:
    """The same problem, where no index could be asked with the way around: the file of what was asked, for a machine with a network."""
    if not problem.unreachable:
        return problem
    hint = (
        "No package index could be asked. Try again with a network; or copy this file to a machine that has one:\n"
        f"  {source}\n"
        f"There: nb2prod env fetch {source.name} --python {asked.environment.python_version} --to wheels\n"
        "Then, with the folder brought back: nb2prod build NB --offline --find-links wheels"
    )
    return uv.Unsolvable(problem.message, hint, problem.missing, unreachable=True)


def read_pins(path: Path) -> tuple[str, ...]:
    """The pins of a requirements file; `InputError` where a line is no `name==version`."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    pins = [line for line in lines if line and not line.startswith("#")]
    for line in pins:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*==\S+(?: ;.*)?", line):
            raise InputError(f"{path}: {line!r} is not an exact pin", "Write name==version, one a line.")
    return tuple(pins)


def _preferred(asked: Wanted) -> list[tuple[str, str]]:
    own = {item.metadata["Name"].lower().replace("_", "-"): item.version for item in metadata.distributions()}
    kernel = {item.key: item.version for item in reversed(asked.environment.distributions)}
    return sorted((name, version) for name, version in {**own, **kernel}.items() if _is_plain(version))


def _is_plain(version: str) -> bool:
    try:
        return Version(version).local is None
    except InvalidVersion:
        return False


def _name(requirement: str) -> str:
    return re.split(r"[=<>]", requirement, maxsplit=1)[0]


def _folder() -> Path:
    return home.home() / "environments" / "locks"
