"""The Bento's service: BentoML starts, supervises and packages it; every request goes to ``App``.

The only module of the runtime that knows BentoML.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import sys
import warnings
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bentoml

from . import manifest, tracing
from .http import Receive, Scope, Send
from .keys import Keys
from .logs import configure, log
from .options import OptionProblem, Options

if TYPE_CHECKING:
    from .app import App
    from .metrics import Metrics


class Front:
    """ASGI middleware that hands every request to the app and leaves the rest (start and stop) to BentoML.

    Once the server has started it stands before BentoML's own middleware too: what that does for a request (a task, a timer that
    is never taken back and lives on for a minute, a tracer that is switched off) the app does by itself, or does without.
    """

    def __init__(self, app: Any, served: Callable[[], App]) -> None:
        self._bentoml = app
        self._served = served()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._served(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            await self._bentoml(scope, receive, send)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """BentoML's own, with the worker's background work from when the model is loaded until the end."""
        tasks: list[asyncio.Task[None]] = []

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "lifespan.startup.complete":
                if getattr(scope.get("app"), "middleware_stack", None) is not None:
                    scope["app"].middleware_stack = self
                tasks.append(asyncio.create_task(self._served.background()))
            elif message["type"].startswith("lifespan.shutdown."):
                # Before the server hears that all is done: it then ends at once, by the signal that it was sent.
                await ended()
            await send(message)

        async def ended() -> None:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        try:
            await self._bentoml(scope, receive, sent)
        finally:
            await ended()


def build_service(file: str) -> Any:
    """The BentoML service of the project folder that ``file`` (its ``service.py``) lies in.

    Nothing is loaded here, for the server's own process comes by too and only its workers need pandas and the model. But the
    artifacts' digests are compared: a changed byte or a missing file ends the process with a message that names it.
    """
    project = Path(file).resolve().parent
    try:
        manifest.verify(project / "artifacts")
        options = Options.load(project / "options.json")
        version = _version(project)
        if version is not None:
            Keys(options.api_keys_file)  # a list of keys that can't be read is told now; while building there is none
    except (manifest.ArtifactCorrupt, OptionProblem) as problem:
        raise SystemExit(f"{project.name}: refuses to start: {problem}") from None

    @functools.cache
    def served() -> App:
        from .app import App

        return App(project, version=version, options=options, metrics=_metrics)

    class Served:
        def __init__(self) -> None:
            configure()
            _quiet()
            try:
                app = served()
                app.load()
                tracing.start(*app.name.split(":", 1))
            except Exception as error:
                log("not started", level=40, error=f"{type(error).__name__}: {error}")
                raise

    Served.__name__ = Served.__qualname__ = "Service"
    Served.__module__ = "service"
    service = bentoml.service(
        name="Service",
        workers=options.workers,
        traffic={"timeout": options.latency_budget + options.body_timeout + 60},
        metrics={"enabled": False},
        logging={"access": {"enabled": False}},
        # BentoML's own spans hold every part of a message and cost more than a small request; ours are in `tracing`.
        tracing={"excluded_urls": ".*"},
    )(Served)
    service.add_asgi_middleware(Front, served=served)
    return service


def _quiet() -> None:
    """What the notebook's code prints or warns of may hold a caller's values: no log gets it."""
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for the life of the process
    warnings.simplefilter("ignore")


def _metrics(signature: Any, version: str) -> Metrics:
    """Metrics over all workers: BentoML's client sets up the shared folder before Prometheus's library is imported."""
    from bentoml._internal.configuration.containers import BentoMLContainer

    from . import worker_metrics
    from .metrics import Metrics

    client = BentoMLContainer.metrics_client.get()
    generate = worker_metrics.generate if client.multiproc else client.generate_latest
    return Metrics(signature, version, registry=client.registry, generate=generate)


def _version(project: Path) -> str | None:
    """The version of the Bento whose ``src`` the project is; None in a bare project folder."""
    file = project.parent / "bento.yaml"
    if project.name != "src" or not file.is_file():
        return None
    found = re.search(r"^version: *['\"]?([^'\"\n]+?)['\"]?$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else None
