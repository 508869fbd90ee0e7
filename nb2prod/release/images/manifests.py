"""compose.yaml and Kubernetes manifests of an image: plain files, to be read and changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.release.images import context, kubernetes
from nb2prod.release.record import ReleaseRecord
from nb2prod.runtime.options import OptionProblem, Options

COMPOSE = "compose.yaml"


@dataclass(frozen=True)
class Plan:
    """What is to run, and how many of it."""

    name: str
    image: str
    labels: Mapping[str, str]
    replicas: int
    jobs: bool
    """Whether jobs are kept in a queue on disk, which one container alone may have."""
    drain_seconds: int
    """Longer than a request may take."""


@dataclass(frozen=True)
class Written:
    """Where the manifests lie, and their names in that folder."""

    folder: Path
    files: tuple[str, ...]


def plan(release: ReleaseRecord, bento: Path, image: str, replicas: int) -> Plan:
    """The plan; `InputError` where several replicas would each have a queue of their own."""
    try:
        options = Options.load(bento / "src" / "options.json")
    except OptionProblem as error:
        raise InputError(f"{release.bento}: {error}", "Build the notebook again.") from error
    if options.jobs and replicas > 1:
        raise InputError(
            f"{release.bento} keeps jobs in a queue on disk, so it can't run as {replicas} replicas: "
            "an answer would be with one of them, and the question asked of another",
            "Build it with `jobs = false` in [serving] of nb2prod.toml, or leave --replicas at 1.",
        )
    drain = int(options.latency_budget + options.body_timeout) + 10
    return Plan(release.name, image, context.labels(release), replicas, options.jobs, drain)


def write(folder: Path, plan: Plan) -> Written:
    """Write compose.yaml and kubernetes/*.yaml into the folder; raises `EnvironmentProblem`."""
    documents: dict[str, Callable[[Plan], Mapping[str, Any]]] = {
        COMPOSE: compose,
        **{f"kubernetes/{name}.yaml": make for name, make in kubernetes.DOCUMENTS.items()},
    }
    if plan.jobs:
        documents["kubernetes/volume.yaml"] = kubernetes.volume
        del documents["kubernetes/autoscaler.yaml"], documents["kubernetes/disruption.yaml"]
    try:
        for name, make in documents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_text(make(plan)), encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(
            f"the manifests can't be written to {folder}: {error.strerror or error}",
            "Name another folder with --output.",
        ) from error
    return Written(folder, tuple(documents))


def compose(plan: Plan) -> dict[str, Any]:
    """compose.yaml: one container on this machine's port, hardened as it was proved."""
    service = {
        "image": plan.image,
        "restart": "unless-stopped",
        "ports": [f"127.0.0.1:{context.PORT}:{context.PORT}"],
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 (of the container)
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "user": f"{context.USER}:{context.USER}",
        "stop_grace_period": f"{plan.drain_seconds}s",
        "deploy": {"resources": {"limits": {"cpus": "2", "memory": "2G"}}},
        "volumes": ["data:/data"],
    }
    return {"name": plan.name.replace(".", "-"), "services": {"model": service}, "volumes": {"data": {}}}


def _text(document: Mapping[str, Any]) -> str:
    head = "# Written by nb2prod containerize. Yours to change; the next one writes it anew.\n"
    return head + str(yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True))
