"""Which environment a build tries and proves in, and which one a Bento is served in.

It is nb2prod's own where the notebook ran there too, or where a Bento's pins are just what is installed there. Otherwise it is one
of those that `store` makes, of the Python of the notebook's kernel.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nb2prod.environments import interpreter, lock, pinned, store, uv, wheels
from nb2prod.environments.interpreter import Environment
from nb2prod.environments.pinned import PinnedEnvironment
from nb2prod.environments.store import MadeEnvironment, Order
from nb2prod.environments.uv import Sources
from nb2prod.errors import EnvironmentProblem


@dataclass(frozen=True)
class ServedEnvironment:
    """An interpreter in whose environment served code runs.

    `own` says that it is the one that runs nb2prod; then packages that a Bento does not pin have to be hidden from it. `site` is
    the folder of its packages where it was made for this, else None; `key` then names it.
    """

    python: Path
    own: bool
    key: str | None = None
    site: Path | None = None


OWN = ServedEnvironment(Path(sys.executable), own=True)
_DEFAULT = Sources()
_SECONDS = 30


def of_kernel(
    environment: Environment, modules: Iterable[str], sources: Sources = _DEFAULT, local: Iterable[Path] = ()
) -> ServedEnvironment:
    """The environment in which a notebook's plan is tried: its `modules` (top-level names) at the kernel's versions, and the runtime.

    `local` are wheels of packages that no index need have. Made where it is not there yet. Raises `EnvironmentProblem` where it can't be.
    """
    if interpreter.is_own(environment.python):
        return OWN
    return of_pins(lock.settle(lock.wanted(environment, modules, sources), sources), environment, sources, local)


def of_pins(
    pins: Iterable[str], environment: Environment, sources: Sources = _DEFAULT, local: Iterable[Path] = ()
) -> ServedEnvironment:
    """The environment of exactly these pins, for the Python of `environment`; made where it is not there yet.

    A wheel of `local` stands for its pin, if it is among them.
    """
    pins = tuple(pins)
    found = wheels.among(pins, local)
    order = Order(environment.python, environment.full_version, environment.platform, pins, found)
    return _made(store.ensure(order, sources))


def of_bento(folder: Path, sources: Sources = _DEFAULT) -> ServedEnvironment:
    """The environment in which the Bento in this folder is served; made where it is not there yet.

    A Bento without pins is served in nb2prod's own. Raises `EnvironmentProblem` where it was built for another platform, where no
    interpreter of its Python is found, or where its packages can't be had.
    """
    asked = pinned.of_bento(folder)
    if not asked.pins or asked.is_met_here:
        return OWN
    known = made_for(asked)
    if known is not None:
        return _made(known)
    base = interpreter.read(find_python(asked.python))
    if asked.platform not in ("", base.platform):
        raise EnvironmentProblem(
            f"the Bento {folder.parent.name}:{folder.name} was built for {asked.platform}, and this machine is {base.platform}",
            "Build the notebook here, or serve the Bento's container image for this platform.",
        )
    return of_pins(asked.pins, base, sources, asked.wheels)


def made_for(asked: PinnedEnvironment) -> MadeEnvironment | None:
    """The environment that was made of these pins for this Python, if it is there as it was made."""
    for item in store.environments():
        same = set(item.pins) == set(asked.pins) and item.wheels == wheels.digests(asked.wheels)
        if same and item.full_version.startswith(f"{asked.python}."):
            return store.find(item.key)
    return None


def find_python(version: str) -> Path:
    """An interpreter of this Python (major and minor). Raises `EnvironmentProblem` where uv finds none on this machine."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return Path(sys.executable)
    done = subprocess.run(
        [uv.program(), "python", "find", "--no-project", "--system", version],
        capture_output=True,
        text=True,
        check=False,
        env=uv.environment(),
    )
    by_name = shutil.which(f"python{version}")
    candidates = [
        *([Path(done.stdout.strip())] if done.returncode == 0 else []),
        *([Path(by_name)] if by_name else []),
        *(item.python for item in store.environments() if item.full_version.startswith(f"{version}.")),
    ]
    for candidate in candidates:
        if _runs(candidate, version):
            return candidate
    raise EnvironmentProblem(
        f"Python {version} is needed to serve this, and none was found on this machine",
        f"Install one, for example by: uv python install {version}",
    )


def _runs(python: Path, version: str) -> bool:
    """Whether it is that Python at all: pyenv has programs of all names that it knows, installed or not."""
    try:
        done = subprocess.run(
            [str(python), "-I", "-c", "import platform; print(platform.python_version())"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.startswith(f"{version}.")


def _made(made: MadeEnvironment) -> ServedEnvironment:
    return ServedEnvironment(made.python, own=False, key=made.key, site=made.site)
