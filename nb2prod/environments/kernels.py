"""The interpreter of a notebook's kernel, found without starting it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nb2prod.environments import interpreter
from nb2prod.environments.interpreter import Environment
from nb2prod.errors import EnvironmentProblem

OLDEST, NEWEST = (3, 10), (3, 14)
"""The Pythons that a kernel may run."""
_OLDEST_PANDAS = 2
_NATIVE = "python3"


@dataclass(frozen=True)
class Kernel:
    """A kernel by its name, and the interpreter that its kernelspec starts (None where a wrapper hides it)."""

    name: str
    python: Path | None
    display_name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that it is started with, as its kernelspec says."""

    @property
    def is_own(self) -> bool:
        """Whether it runs on the interpreter that runs nb2prod."""
        return self.python is not None and interpreter.is_own(self.python)


def find(name: str) -> Kernel:
    """The kernel of this name. Raises `EnvironmentProblem` where it is not installed, or its interpreter is gone."""
    spec = _spec(name)
    if spec is None:
        raise EnvironmentProblem(
            f"the notebook's kernel {name!r} is not installed",
            f'Run it on another one: --kernel python3, or kernel = "python3" in nb2prod.toml (`jupyter kernelspec list` names them). Or '
            f"install this one: python -m ipykernel install --user --name {name}.",
        )
    program = str((spec.get("argv") or [""])[0])
    variables = {key: str(value) for key, value in (spec.get("env") or {}).items()}
    return Kernel(name, _interpreter(name, program), str(spec.get("display_name", name)), variables)


def _spec(name: str) -> dict[str, Any] | None:
    """The kernelspec, read as Jupyter finds it; its own reader takes half a second to import."""
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("kernels"):
        try:
            names = {item.name.lower(): item for item in Path(folder).iterdir()}
            found: dict[str, Any] = json.loads((names[name.lower()] / "kernel.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError):
            continue
        return found
    # Where ipykernel is installed, Jupyter has this one without any file.
    return {"argv": ["python"], "display_name": "Python 3"} if name == _NATIVE else None


def _interpreter(name: str, program: str) -> Path | None:
    if not re.fullmatch(r"(python|pypy)[\d.]*(\.exe)?", Path(program).name):
        return None  # conda run, a script of the user's: the kernel will say what it runs on
    if program in {"python", "python3", f"python{sys.version_info[0]}.{sys.version_info[1]}"}:
        return Path(sys.executable)  # as jupyter_client starts it
    found = shutil.which(program)
    if found is None:
        raise EnvironmentProblem(
            f"the kernel {name!r} starts {program}, which does not exist",
            f"Make that environment again, or register the kernel from the one that you use: python -m ipykernel install --user --name {name}.",
        )
    return Path(found).absolute()


def inspect(python: Path, name: str, variables: Mapping[str, str] | None = None) -> Environment:
    """What is installed for the kernel's interpreter, started with the kernel's own environment variables.

    Raises `EnvironmentProblem` where it does not answer, or where no notebook of it can be built: its Python or pandas is too old
    or too new, or ipykernel is missing.
    """
    found = interpreter.read(python, variables)
    check(found, name)
    return found


def check(environment: Environment, name: str) -> None:
    """Raise `EnvironmentProblem` where a notebook on this kernel can't be built, with what would mend that."""
    version = tuple(int(part) for part in environment.python_version.split("."))
    if not OLDEST <= version <= NEWEST:
        word = "old" if version < OLDEST else "new"
        raise EnvironmentProblem(
            f"the kernel {name!r} runs Python {environment.full_version} ({environment.python}), which is too {word}: "
            f"a kernel may run Python {_dotted(OLDEST)} to {_dotted(NEWEST)}",
            "Run the notebook on another kernel (--kernel NAME; `jupyter kernelspec list` names them).",
        )
    pandas = environment.version_of("pandas")
    if pandas is not None and int(pandas.split(".")[0]) < _OLDEST_PANDAS:
        raise EnvironmentProblem(
            f"the kernel {name!r} has pandas {pandas} ({environment.python}); pandas 2.0 or newer is needed to follow a notebook's rows",
            f"Update it there: {environment.python} -m pip install 'pandas>=2'. Or choose another kernel: --kernel NAME.",
        )
    if environment.version_of("ipykernel") is None:
        raise EnvironmentProblem(
            f"the kernel {name!r} can't start: its Python {environment.python} has no ipykernel",
            f"Install it there: {environment.python} -m pip install ipykernel. Or choose another kernel: --kernel NAME.",
        )


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
