"""How a version is started: as a process of this Python, or as a container of its image."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod.environments import served
from nb2prod.errors import EnvironmentProblem
from nb2prod.release.running import places
from nb2prod.release.running.kept import Command
from nb2prod.release.running.ledger import Instance, Placement

if TYPE_CHECKING:
    from nb2prod.release.images.engine import Engine

_KEYS = "/run/nb2prod-keys"
_PASSED = ("NB2PROD_API_KEYS", "NB2PROD_API_KEYS_FILE", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_SERVICE_NAME")
"""Settings of the service that are taken from the shell of the first deploy and kept for every later start."""


def program(bento: Path) -> tuple[str, ...]:
    """The program that serves the Bento in this folder, in the environment of its pins; raises as `served.of_bento`."""
    return (str(served.of_bento(bento).python), "-m", "bentoml", "serve")


def settings(container: Mapping[str, Any] | None, known: Mapping[str, Any]) -> dict[str, Any]:
    """What every start of a deployment's servers needs; goes into the record.

    What is `known` from before stays unless this shell says otherwise: a service that asked for keys must not come
    back without, because someone else started it.
    """
    given = {name: os.environ[name] for name in _PASSED if os.environ.get(name)}
    file = given.get("NB2PROD_API_KEYS_FILE")
    if file:
        given["NB2PROD_API_KEYS_FILE"] = str(Path(file).absolute())
    return {
        "environment": {**known.get("environment", {}), **given},
        # With keys set the service answers only to those: the deployment has one of its own, to look after it.
        "probe_key": secrets.token_urlsafe(24),
        **({} if container is None else {"container": dict(container)}),
    }


def check(placement: Placement, version: str) -> None:
    """Whether a server of this version can be started here; `EnvironmentProblem` where its engine or image is missing."""
    if placement.kind != "container":
        return
    engine = _engine(placement)
    tag = f"{placement.release}:{version}"
    if engine.image(tag) is None:
        raise EnvironmentProblem(f"{engine.name} has no image {tag}", f"Make it: nb2prod containerize {tag}")


def command(placement: Placement, instance: Instance, version: str, seconds: float) -> Command:
    """The server of this version. It listens at the instance's port, or at the deployment's own if it has none."""
    own = instance.port is None
    host, port = (placement.host, placement.port) if own else ("127.0.0.1", instance.port or 0)
    folder = places.kept(instance).folder
    environment = {
        **placement.settings.get("environment", {}),
        "NB2PROD_PROBE_KEY": hashlib.sha256(placement.settings["probe_key"].encode()).hexdigest(),
    }
    if placement.kind == "container":
        return _container(placement, instance, version, seconds, environment)
    bento = places.bento(placement.name, version)
    home = folder / "bentoml"
    return Command(
        (*program(bento), str(bento), "--host", host, "--port", str(port)),
        home,
        version=version,
        environment={
            **environment,
            "BENTOML_DO_NOT_TRACK": "True",
            # Two servers must not count into each other's metrics.
            "BENTOML_HOME": str(home),
            # Jobs and logs of requests are the deployment's: they outlive its versions.
            "NB2PROD_DATA": str(places.folder(placement.name) / "data"),
            "PYTHONUNBUFFERED": "1",
        },
        ready=(places.reachable(host), port, "/readyz"),
        ready_seconds=seconds,
        workers=True,
    )


def _container(
    placement: Placement, instance: Instance, version: str, seconds: float, environment: dict[str, str]
) -> Command:
    """The engine's client is what is kept: it lives as long as its container, and passes the signals on."""
    from nb2prod.release.images.containerize import run_command

    engine = _engine(placement)
    host = "127.0.0.1" if instance.port is not None else placement.host
    port = instance.port if instance.port is not None else placement.port
    name = f"nb2prod-{placement.name}-{instance.id}"
    options = ["--volume", f"nb2prod-{placement.name}:/data"]
    keys = environment.get("NB2PROD_API_KEYS_FILE")
    if keys:
        options += ["--volume", f"{keys}:{_KEYS}:ro"]
        environment = {**environment, "NB2PROD_API_KEYS_FILE": _KEYS}
    for variable in environment:
        options += ["--env", variable]  # its value is taken from the client's: none on a command line
    options += placement.settings["container"].get("options") or ()
    folder = places.kept(instance).folder
    return Command(
        tuple(run_command(engine, f"{placement.release}:{version}", name, port, options, host)),
        folder,
        version=version,
        environment=environment,
        ready=(places.reachable(host), port, "/readyz"),
        ready_seconds=seconds,
        clear=(engine.program, "rm", "--force", name),
    )


def _engine(placement: Placement) -> Engine:
    from nb2prod.release.images import engine

    return engine.find(placement.settings["container"].get("engine"), to_run=True)
