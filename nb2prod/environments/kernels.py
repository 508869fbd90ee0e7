"""The interpreter of a notebook's kernel, found without starting it."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from nb2prod.environments import interpreter
from nb2prod.environments.interpreter import Environment
from nb2prod.errors import EnvironmentProblem

OLDEST, NEWEST = (3, 10), (3, 14)
"""The Pythons that a kernel may run."""
_OLDEST_PANDAS = 2


@dataclass(frozen=True)
class Kernel:
    """A kernel by its name, and the interpreter that its kernelspec starts (None where a wrapper hides it)."""

    name: str
    python: Path | None
    display_name: str

    @property
    def is_own(self) -> bool:
        """Whether it runs on the interpreter that runs nb2prod."""
        return self.python is not None and interpreter.is_own(self.python)


def find(name: str) -> Kernel:
    """The kernel of this name. Raises `EnvironmentProblem` where it is not installed, or its interpreter is gone."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel as error:
        raise EnvironmentProblem(
            f"the notebook's kernel {name!r} is not installed",
            f'Run it on another one: --kernel python3, or kernel = "python3" in nb2prod.toml (`jupyter kernelspec list` names them). Or '
            f"install this one: python -m ipykernel install --user --name {name}.",
        ) from error
    program = spec.argv[0] if spec.argv else ""
    return Kernel(name, _interpreter(name, program), spec.display_name)


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


def inspect(python: Path, name: str) -> Environment:
    """What is installed for the kernel's interpreter.

    Raises `EnvironmentProblem` where it does not answer, or where no notebook of it can be built: its Python or pandas is too old
    or too new, or ipykernel is missing.
    """
    found = interpreter.read(python)
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
