"""The Bento's service: BentoML starts, supervises and packages it; every request goes to ``App``.

The only module of the runtime that knows BentoML.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import bentoml

from . import artifacts
from .app import App
from .http import Receive, Scope, Send
from .keys import Keys
from .logs import configure, log
from .metrics import Metrics
from .options import OptionProblem, Options


class Front:
    """ASGI middleware that hands every request to the app and leaves the rest (start and stop) to BentoML."""

    def __init__(self, app: Any, served: App) -> None:
        self._bentoml = app
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._served if scope["type"] == "http" else self._bentoml)(scope, receive, send)


def build_service(file: str) -> Any:
    """The BentoML service of the project folder that ``file`` (its ``service.py``) lies in.

    Nothing is loaded here but the artifacts' digests are compared: a changed byte or a missing file ends the
    process with a message that names it.
    """
    project = Path(file).resolve().parent
    try:
        artifacts.verify(project / "artifacts")
        options = Options.load(project / "options.json")
        version = _version(project)
        if version is not None:
            Keys(options.api_keys_file)  # a list of keys that can't be read is told now; while building there is none
        app = App(project, version=version, options=options, metrics=_metrics)
    except (artifacts.ArtifactCorrupt, OptionProblem) as problem:
        raise SystemExit(f"{project.name}: refuses to start: {problem}") from None

    class Served:
        def __init__(self) -> None:
            configure()
            _quiet()
            try:
                app.load()
            except Exception as error:
                log("not started", level=40, error=f"{type(error).__name__}: {error}")
                raise

    Served.__name__ = Served.__qualname__ = "Service"
    Served.__module__ = "service"
    service = bentoml.service(
        name="Service",
        workers=options.workers,
        threads=options.threads,
        traffic={"timeout": options.timeout + options.body_timeout + 60},
        metrics={"enabled": False},
        logging={"access": {"enabled": False}},
        **_tracing(),
    )(Served)
    service.add_asgi_middleware(Front, served=app)
    return service


def _quiet() -> None:
    """What the notebook's code prints or warns of may hold a caller's values: no log gets it."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the life of the process
    warnings.simplefilter("ignore")


def _tracing() -> dict[str, Any]:
    """No spans unless an OpenTelemetry endpoint is configured: making them costs more than a small request."""
    if any(os.environ.get(name) for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return {}
    return {"tracing": {"excluded_urls": ".*"}}


def _metrics(signature: Any, version: str) -> Metrics:
    """Metrics over all workers: BentoML's client sets up the shared folder before Prometheus's library is imported."""
    from bentoml._internal.configuration.containers import BentoMLContainer

    client = BentoMLContainer.metrics_client.get()
    return Metrics(signature, version, registry=client.registry, generate=client.generate_latest)


def _version(project: Path) -> str | None:
    """The version of the Bento whose ``src`` the project is; None in a bare project folder."""
    file = project.parent / "bento.yaml"
    if project.name != "src" or not file.is_file():
        return None
    found = re.search(r"^version: *['\"]?([^'\"\n]+?)['\"]?$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None
