"""nb2prod from Python: what the commands do, as functions with typed results.

    import nb2prod

    forecast = nb2prod.check("flight_delay.ipynb")
    result = nb2prod.build("flight_delay.ipynb", nb2prod.Options(target=("arr_delay",)))
    with nb2prod.serve(result.bento) as server:
        answer = server.predict([{"carrier": "UA", "distance": 872}])

Everything is reached as `nb2prod.NAME` and imported when it is asked for. A problem of the notebook is raised as `Refused`,
with its diagnostics; one of the input or the machine as another `Nb2ProdError`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nb2prod.built import BuildResult
from nb2prod.config import Options
from nb2prod.config import load as _load_options
from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import Cancelled, EnvironmentProblem, InputError, Nb2ProdError, ParityFailed, Refused
from nb2prod.forecast import Forecast
from nb2prod.local_server import LocalServer
from nb2prod.parity.report import ParityReport as Report
from nb2prod.path.planned import FrozenCall, Plan, PlannedFilter, PlannedLine, PlannedValue
from nb2prod.progress import Progress
from nb2prod.proving import Wish
from nb2prod.release.record import ReleaseRecord
from nb2prod.service_client import Answer, Detail, Features, RequestRefused, RowError, ServiceClient

__all__ = [
    "Answer",
    "BuildResult",
    "Cancelled",
    "Detail",
    "Diagnostic",
    "EnvironmentProblem",
    "Features",
    "Forecast",
    "FrozenCall",
    "InputError",
    "LocalServer",
    "Nb2ProdError",
    "Options",
    "ParityFailed",
    "Plan",
    "PlannedFilter",
    "PlannedLine",
    "PlannedValue",
    "Progress",
    "Refused",
    "ReleaseRecord",
    "Report",
    "RequestRefused",
    "RowError",
    "ServiceClient",
    "Wish",
    "build",
    "check",
    "connect",
    "load_options",
    "prove",
    "releases",
    "serve",
]


def load_options(notebook: str | Path, overrides: Mapping[str, Any] | None = None) -> Options:
    """The options of nb2prod.toml for this notebook, with `overrides` by the names of `Options`.

    Raises `InputError` for a file that can't be read, an unknown key or a value of the wrong type.
    """
    return _load_options(Path(notebook).absolute(), overrides)


def check(notebook: str | Path, options: Options | None = None) -> Forecast:
    """Forecast what a build would serve and what stands in its way; runs nothing.

    Args:
        notebook: Path of the .ipynb file.
        options: Instead of what nb2prod.toml beside it says.

    Raises:
        InputError: The file can't be read or is no notebook. Every problem *of* the notebook is in the forecast.
    """
    from nb2prod.forecast import forecast
    from nb2prod.notebook import load

    read = load(notebook)
    return forecast(read, options if options is not None else _load_options(read.path))


def build(
    notebook: str | Path, options: Options | None = None, *, quick: bool = False, progress: Progress | None = None
) -> BuildResult:
    """Run the notebook once, make a Bento of it and prove that it answers as the notebook did.

    Args:
        notebook: Path of the .ipynb file.
        options: Instead of what nb2prod.toml beside it says.
        quick: Prove a sample only; such a release can't be deployed.
        progress: Told of stages, cells and messages.

    Returns:
        The result; its `bento` is None where the proof found differences, and `parity` then names them.

    Raises:
        Refused: The notebook can't be served as it is.
        InputError: The file or an option can't be used.
        EnvironmentProblem: The machine lacks something: the kernel, a package, room on the disk.
        Cancelled: Interrupted; nothing is left half-made.
    """
    from nb2prod import pipeline

    path = Path(notebook).absolute()
    chosen = options if options is not None else _load_options(path)
    return pipeline.build(path, chosen, progress, quick=quick)


def prove(target: str | Path, wish: Wish | None = None, *, progress: Progress | None = None) -> Report:
    """Prove again that a Bento answers as its notebook did, by what its build recorded; the notebook is not run.

    Args:
        target: Name (its newest), name:version, a Bento's folder, the URL of a running service, or a container's name.
        wish: Key, tolerances, seed, and whose cases to ask.
        progress: Told of what is asked.

    Returns:
        The report; `passed` is False where answers differ.

    Raises:
        InputError: There is no such Bento or release, or the service asks for a key.
        EnvironmentProblem: The service does not start, hangs or dies.
    """
    from nb2prod import proving

    return proving.prove(str(target), wish or Wish(), progress)


def serve(bento: str | Path, *, port: int | None = None, key: str | None = None, timeout: float = 120.0) -> LocalServer:
    """A server of this Bento (name, name:version or folder), to be used in a `with`: it starts there and ends after it.

    Raises, when it starts, `EnvironmentProblem` where it does not become ready within `timeout` seconds.
    """
    return LocalServer(bento, port=port, key=key, timeout=timeout)


def connect(url: str, *, key: str | None = None, timeout: float = 60.0) -> ServiceClient:
    """A client of the service that runs at this URL; raises `InputError` where it is no URL."""
    return ServiceClient(url, key=key, timeout=timeout)


def releases() -> tuple[ReleaseRecord, ...]:
    """The releases that builds on this machine made, by name, the newest first of each."""
    from nb2prod.release import records

    return records.records()
