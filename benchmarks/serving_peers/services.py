"""The services of the comparison: how each is installed, started and asked."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_SECONDS = 90.0
SHARED = ("pandas", "numpy", "scikit-learn", "pyarrow")
"""Peers get the versions that ours, and the notebook, runs with, where their own requirements allow it.

pyarrow too: where it is installed pandas keeps text in its arrays, and without it the same lines are another computation.
"""


@dataclass(frozen=True)
class Service:
    """One service of the comparison.

    `packages`: what its own environment holds; empty where it runs in ours. `command`: its arguments after the
    interpreter, given the folder and the port. `wrap`: makes its body of rows.
    """

    name: str
    packages: tuple[str, ...]
    command: Callable[[Path, int], list[str]]
    path: str = "/predict"
    wrap: Callable[[Sequence[object]], object] = field(default=lambda rows: {"rows": rows})
    ready: str = "/livez"
    prepare: tuple[str, ...] = ()


def services(bento: Path) -> dict[str, Service]:
    """All of them, ours first."""
    uvicorn = ["--host", "127.0.0.1", "--no-access-log", "--log-level", "warning"]
    bentoml = ["-m", "bentoml", "serve", "--host", "127.0.0.1"]
    found = [
        Service("ours", (), lambda _, port: [*bentoml, str(bento), "--port", str(port)], ready="/readyz"),
        Service(
            "fastapi",
            ("fastapi", "uvicorn[standard]", "joblib"),
            lambda _, port: ["-m", "uvicorn", "fastapi_app:app", *uvicorn, "--port", str(port)],
        ),
        Service("bentoml", (), lambda _, port: [*bentoml, "bento_plain:Plain", "--port", str(port)]),
        Service("batchable", (), lambda _, port: [*bentoml, "bento_batchable:Batchable", "--port", str(port)]),
        Service(
            "litserve", ("litserve", "joblib"), lambda _, port: ["litserve_app.py", str(port)], ready="/health"
        ),
        Service(
            "mlflow",
            ("mlflow", "joblib", "uvicorn"),
            lambda folder, port: [
                "-m", "mlflow", "models", "serve", "-m", str(folder / "mlflow"), "--env-manager", "local",
                "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
            ],
            path="/invocations",
            wrap=lambda rows: {"dataframe_records": rows},
            ready="/ping",
            prepare=("mlflow_save.py",),
        ),
        Service("http_floor", (), lambda _, port: ["-m", "uvicorn", "http_floor:app", *uvicorn, "--port", str(port)]),
    ]  # fmt: skip
    return {service.name: service for service in found}


class NotInstalled(Exception):
    """A peer that can't be installed here; the text says why."""


def environment(service: Service, folder: Path) -> Path:
    """The Python of the service's environment, made if missing; raises `NotInstalled`."""
    if not service.packages:
        return Path(sys.executable)
    python = folder / service.name / "bin" / "python"
    if (folder / service.name / "complete").is_file():
        return python
    from importlib.metadata import version

    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--clear", "--python", sys.executable, folder / service.name], check=True)
    ours = [f"{name}=={version(name)}" for name in SHARED]
    for pins in (ours, list(SHARED)):
        install = [*uv, "pip", "install", "-q", "--python", str(python), *service.packages, *pins]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            (folder / service.name / "complete").touch()
            return python
    raise NotInstalled(done.stderr.strip().splitlines()[-1])


def versions(python: Path, names: Sequence[str]) -> dict[str, str]:
    """Installed versions there."""
    code = (
        "import json, sys\nfrom importlib.metadata import version, PackageNotFoundError as E\n"
        "found = {}\nfor n in sys.argv[1:]:\n    try: found[n] = version(n)\n    except E: pass\nprint(json.dumps(found))"
    )
    done = subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@dataclass
class Running:
    """A started service."""

    service: Service
    process: subprocess.Popen[bytes]
    port: int
    cold_start: float
    """Seconds from the start of its process to its first prediction."""

    def memory(self) -> float:
        """Megabytes that it and its children hold (proportional shares of what they have in common)."""
        return sum(_proportional(pid) for pid in _family(self.process.pid)) / 1024


@contextlib.contextmanager
def running(service: Service, python: Path, folder: Path, body: bytes) -> Iterator[Running]:
    """Start it, wait for its first prediction, end it with all its children."""
    port = _free_port()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("NB2PROD", "BENTOML"))},
        "NB2PROD_DATA": str(folder / "data"),
        "BENCH_FOLDER": str(folder),
        "BENTOML_HOME": str(folder / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
        "OMP_NUM_THREADS": "1",
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(HERE),
    }
    log = folder / f"{service.name}.log"
    begin = time.perf_counter()
    with log.open("wb") as sink:
        command = [str(python), *service.command(folder, port)]
        process = subprocess.Popen(command, cwd=HERE, env=env, stdout=sink, stderr=sink, start_new_session=True)
    try:
        while not _predicts(port, service.path, body):
            if process.poll() is not None or time.perf_counter() - begin > START_SECONDS:
                raise NotInstalled(f"it does not start; see {log}")
            time.sleep(0.05)
        yield Running(service, process, port, time.perf_counter() - begin)
    finally:
        _end(process)


def _predicts(port: int, path: str, body: bytes) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    import signal

    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(15)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _proportional(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    return 0.0
