"""What of this machine nb2prod can work with: each part is tried, and said with what to do where it does not work."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from nb2prod import __version__, home
from nb2prod.environments import kernels
from nb2prod.errors import EnvironmentProblem
from nb2prod.notebook import Notebook

State = Literal["works", "missing", "broken"]

_LITTLE = 1 << 30
"""Bytes of free disk below which a build may not fit: a recording holds the notebook's tables."""
_SECONDS = 30
_PORT = 3000
_VERSIONS = ("bentoml", "papermill", "jupyterlab", "pandas", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Finding:
    """One part of the machine: whether it `works`, is `missing` without harm (its use is told), or is `broken`."""

    part: str
    state: State
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """The object of `doctor --json`."""
        return asdict(self)


@dataclass(frozen=True)
class Diagnosis:
    """All findings, in the order in which one needs the parts."""

    findings: tuple[Finding, ...]

    @property
    def well(self) -> bool:
        """Whether nothing is broken; what is missing can be done without."""
        return all(item.state != "broken" for item in self.findings)

    def to_json(self) -> dict[str, Any]:
        """The document of `doctor --json`."""
        return {"well": self.well, "findings": [item.to_json() for item in self.findings]}


def examine(notebook: Notebook | None = None) -> Diagnosis:
    """Try every part; with a notebook, also whether its kernel is here. Starts no server and changes nothing that stays."""
    parts: list[Callable[[], Sequence[Finding]]] = [
        _versions,
        lambda: _kernels(notebook),
        _folders,
        _sidebar,
        _port,
        _proxy,
        _container_engine,
        _after_reboot,
    ]
    with ThreadPoolExecutor(len(parts)) as pool:
        return Diagnosis(tuple(item for found in pool.map(lambda part: part(), parts) for item in found))


def _versions() -> Sequence[Finding]:
    here = (
        f"{__version__} in {sys.prefix}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    told, absent = [], []
    for name in _VERSIONS:
        try:
            told.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            absent.append(name)
    found = Finding("nb2prod", "works", here)
    if platform.system() != "Linux":
        found = Finding("nb2prod", "broken", here, "nb2prod is tested on Linux only; on Windows, use it inside WSL.")
    libraries = Finding("libraries", "works", ", ".join(told))
    if absent:
        libraries = Finding(
            "libraries",
            "broken",
            f"not installed: {', '.join(absent)}",
            "Install nb2prod again: pip install --force-reinstall nb2prod",
        )
    return found, libraries


def _kernels(notebook: Notebook | None) -> Sequence[Finding]:
    from jupyter_client.kernelspec import KernelSpecManager

    specs = {name: item["spec"] for name, item in KernelSpecManager().get_all_specs().items()}
    python = {name: spec for name, spec in specs.items() if str(spec.get("language", "")).lower() == "python"}
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(_kernel, python, python.values()))
    if not python:
        remedy = "Make one of this environment: python -m ipykernel install --user"
        found.append(Finding("kernel", "broken", "no Python kernel is installed", remedy))
    if notebook is not None:
        found.append(_kernel_of(notebook, python))
    return found


def _kernel(name: str, spec: dict[str, Any]) -> Finding:
    program = str((spec.get("argv") or [""])[0])
    path = sys.executable if program in ("python", "python3") else shutil.which(program)
    part, remedy = (
        f"kernel {name}",
        f"Remove it (jupyter kernelspec remove {name}) or make it anew from its environment.",
    )
    if path is None:
        return Finding(part, "missing", f"its program {program or '(none)'} is not there", remedy)
    try:
        found = kernels.inspect(Path(path), name, spec.get("env"))
    except EnvironmentProblem as problem:
        return Finding(part, "missing", problem.message, problem.hint)
    pandas = found.version_of("pandas")
    packages = f"ipykernel {found.version_of('ipykernel')}, {f'pandas {pandas}' if pandas else 'without pandas'}"
    return Finding(part, "works", f"Python {found.full_version}, {packages}, {path}")


def _kernel_of(notebook: Notebook, python: dict[str, Any]) -> Finding:
    if notebook.kernel in python:
        return Finding(notebook.name, "works", f"its kernel {notebook.kernel} is here")
    return Finding(
        notebook.name,
        "broken",
        f"its kernel {notebook.kernel} is not here",
        f"Run it on another: --kernel {next(iter(python), 'python3')}, or that as kernel in nb2prod.toml.",
    )


def _folders() -> Sequence[Finding]:
    told = os.environ.get("BENTOML_HOME")
    store = Path(told).expanduser() if told else Path.home() / "bentoml"
    return (
        _folder("nb2prod's home", home.home(), "NB2PROD_HOME"),
        _folder("BentoML's store", store, "BENTOML_HOME"),
    )


def _folder(part: str, folder: Path, variable: str) -> Finding:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    remedy = f"Set {variable} to a folder that you may write to, on a disk with room."
    try:
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding(part, "broken", f"{folder} can't be written: {error.strerror or error}", remedy)
    found = f"{folder}, {free / 1e9:.1f} GB free"
    return Finding(part, "works", found) if free >= _LITTLE else Finding(part, "broken", found, remedy)


def _sidebar() -> Sequence[Finding]:
    from jupyter_core.paths import jupyter_path

    own = [Path(place) / "nb2prod" for place in jupyter_path("labextensions") if (Path(place) / "nb2prod").exists()]
    if not own:
        remedy = "pip install --force-reinstall nb2prod puts it there; JupyterLab shows it after a restart."
        return (Finding("sidebar", "broken", "JupyterLab's extension is not in this environment", remedy),)
    other = shutil.which("jupyter-lab")
    beside = Path(sys.executable).parent
    if other is None or Path(other).parent == beside:
        return (Finding("sidebar", "works", f"in the JupyterLab of {sys.prefix}"),)
    return (
        Finding(
            "sidebar",
            "missing",
            f"{other} is a JupyterLab of another environment, and shows no nb2prod",
            f"Start the one beside nb2prod: {beside / 'jupyter-lab'}; or install nb2prod into the other's environment too.",
        ),
    )


def _port() -> Sequence[Finding]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _PORT))
        except OSError as error:
            remedy = "Give another to `nb2prod serve --port`; `deploy` takes the next that is free."
            return (Finding(f"port {_PORT}", "missing", str(error.strerror or error).lower(), remedy),)
    return (Finding(f"port {_PORT}", "works", "free: the first that serve and deploy take"),)


def _proxy() -> Sequence[Finding]:
    from nb2prod.release.running import proxy

    program = proxy.installed()
    if program is None:
        remedy = "Without it a new version takes over with a short gap. Debian: apt-get install haproxy"
        return (Finding("HAProxy", "missing", "not installed", remedy),)
    done = subprocess.run([program, "-v"], capture_output=True, text=True, check=False, timeout=_SECONDS)
    version = (done.stdout.splitlines() or ["?"])[0]
    state: State = "works" if done.returncode == 0 else "broken"
    return (Finding("HAProxy", state, f"{version.split(' - ')[0]}, {program}: new versions take over without a gap"),)


def _container_engine() -> Sequence[Finding]:
    from nb2prod.release.images import engine

    try:
        found = engine.find()
    except EnvironmentProblem as problem:
        why = "; ".join(line.strip() for line in problem.message.splitlines()[1:])
        remedy = "Only `containerize` and `deploy --container` need one. Install podman, or start Docker's engine."
        return (Finding("container engine", "missing", why, remedy),)
    return (Finding("container engine", "works", f"{found.name}, {found.program}"),)


def _after_reboot() -> Sequence[Finding]:
    if Path("/run/systemd/system").is_dir() and shutil.which("systemctl"):
        return (Finding("systemd", "works", "`deploy --systemd` writes the unit that brings a deployment back"),)
    remedy = "After a reboot, run `nb2prod deploy --restore` from whatever starts programs here."
    return (Finding("systemd", "missing", "does not run here", remedy),)
