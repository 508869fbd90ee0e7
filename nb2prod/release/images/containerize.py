"""`containerize`: a release becomes an image, the image is run and proved, and the manifests are written beside it."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nb2prod import home
from nb2prod.errors import EnvironmentProblem, Nb2ProdError, ParityFailed
from nb2prod.parity import cases, ports, prover, target
from nb2prod.parity.client import Client
from nb2prod.parity.report import ParityReport
from nb2prod.progress import NoProgress, Progress
from nb2prod.release import records
from nb2prod.release.images import context, engine, manifests
from nb2prod.release.images.engine import Engine
from nb2prod.release.record import ReleaseRecord

READY_SECONDS = 180.0
HARDENED = (
    "--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges",  # noqa: S108
)  # fmt: skip
"""How every container of ours is run: it writes to /tmp and /data only."""


@dataclass(frozen=True)
class Image:
    """A built image, with the folder of its manifests, and its proof if it was run."""

    tag: str
    bento: str
    engine: str
    folder: Path
    manifests: tuple[str, ...]
    report: ParityReport | None


@dataclass(frozen=True)
class Settings:
    """How the image is made. `run_options` go to the engine's `run`, `build_options` to its `build`."""

    engine: str | None = None
    base_image: str | None = None
    tag: str | None = None
    output: Path | None = None
    replicas: int = 1
    proved: bool = True
    """Run it and prove it; without, it is only built."""
    build_options: tuple[str, ...] = ()
    run_options: tuple[str, ...] = ()


def containerize(bento: str, settings: Settings = Settings(), *, progress: Progress | None = None) -> Image:
    """Build, run and prove the image of a release.

    Raises `InputError` (no such release; several replicas where jobs are kept on disk), `EnvironmentProblem` (no
    engine, or it fails), `ParityFailed`: then the image's tag is taken away again.
    """
    from nb2prod.bento import store

    progress = progress or NoProgress()
    release = records.find(bento)
    if release.sampled:
        raise ParityFailed(
            f"of {release.bento} only a sample was proved (build --quick)",
            f"Prove the whole first: nb2prod parity {release.bento}",
        )
    folder = store.find(release.bento).folder
    plan = manifests.plan(release, folder, settings.tag or release.bento, settings.replicas)
    chosen = engine.find(settings.engine, to_run=settings.proved)
    known = cases.read(release.path("cases.json")) if settings.proved else None
    progress.stage("image")
    with _scratch(release) as made:
        base = settings.base_image or context.default_base(context.minor(release.python))
        progress.message(f"fetching {len(release.pins)} packages")
        context.write(made, release, folder, base)
        chosen.build(str(made), plan.image, settings.build_options, progress.message)
    report = None
    if known is not None:
        progress.stage("prove")
        report = _proved(chosen, plan.image, known, settings.run_options, release)
    written = manifests.write(settings.output or home.home() / "images" / release.name / release.version, plan)
    return Image(plan.image, release.bento, chosen.name, written.folder, written.files, report)


def _proved(
    chosen: Engine, tag: str, known: cases.Cases, options: Sequence[str], release: ReleaseRecord
) -> ParityReport:
    with running(chosen, tag, options) as (url, key):
        where = target.of_url(url, headers={"X-API-Key": key}, bento=release.bento)
        report = prover.prove(where, known, tolerance=records.tolerance(release, known))
    if not report.passed:
        with contextlib.suppress(Nb2ProdError):
            chosen.ask("rmi", "--force", tag)
        raise ParityFailed(
            f"the image {tag} does not answer as the notebook did: {report.differences} answers differ",
            "Nothing was kept. `nb2prod parity` of the Bento says whether it is the image's fault.",
            report,
        )
    return report


@contextlib.contextmanager
def running(chosen: Engine, tag: str, options: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """A container of this image for as long as the block lasts; gives its URL and a key that it takes."""
    name = f"nb2prod-proof-{secrets.token_hex(6)}"
    port, key = ports.free(), secrets.token_urlsafe(24)
    command = run_command(chosen, tag, name, port, options)
    digest = hashlib.sha256(key.encode()).hexdigest()
    command[2:2] = ["--detach", "--env", f"NB2PROD_PROBE_KEY={digest}"]
    try:
        chosen.ask(*command[1:], seconds=120)
        _await_ready(chosen, name, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", key
    finally:
        with contextlib.suppress(Nb2ProdError):
            chosen.ask("rm", "--force", name, seconds=60)


def run_command(chosen: Engine, tag: str, name: str, port: int, options: Sequence[str], host: str = "") -> list[str]:
    """The engine's command that runs the image, answering at this port of this machine."""
    if _on_host_network(options):
        reach = ["--env", f"BENTOML_PORT={port}"]
    else:
        reach = ["--publish", f"{host or '127.0.0.1'}:{port}:{context.PORT}"]
    label = ["--label", f"{engine.PORT_LABEL}={port}"]
    return [chosen.program, "run", "--rm", "--name", name, *HARDENED, *reach, *label, *options, tag]


def _on_host_network(options: Sequence[str]) -> bool:
    text = " ".join(options)
    return any(form in text for form in ("--network=host", "--network host", "--net=host", "--net host"))


def _await_ready(chosen: Engine, name: str, url: str) -> None:
    client = Client(url)
    deadline = time.monotonic() + READY_SECONDS
    while client.status("/readyz", timeout=3) != 200:
        state = _state(chosen, name)
        if state != "running" or time.monotonic() > deadline:
            said = "" if state == "removed" else _log(chosen, name)
            what = "ended" if state != "running" else f"was not ready within {READY_SECONDS:g} s"
            raise EnvironmentProblem(f"the container of the image {what}{said}", "Its last lines say why.")
        time.sleep(0.2)


def _state(chosen: Engine, name: str) -> str:
    try:
        return chosen.ask("inspect", "--format", "{{.State.Status}}", name).strip()
    except EnvironmentProblem:
        return "removed"


def _log(chosen: Engine, name: str) -> str:
    with contextlib.suppress(EnvironmentProblem):
        lines = chosen.ask("logs", "--tail", "15", name).splitlines()
        return "".join(f"\n    {line}" for line in lines)
    return ""


@contextlib.contextmanager
def _scratch(release: ReleaseRecord) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        dir=home.staging(), prefix=f"{release.name}-image-", ignore_cleanup_errors=True
    ) as made:
        yield Path(made)
