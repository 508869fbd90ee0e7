"""Releases put to work on this machine: deploy, look, change, stop. For the command line, the sidebar and the widget.

Every function may be called by several processes at once: one at a time changes a deployment, the others wait.
Each first puts right what an interrupted one left behind.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from nb2prod import home
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.parity import cases
from nb2prod.progress import NoProgress, Progress
from nb2prod.release import ownership, records
from nb2prod.release.admission import pass_gates, release_to_deploy
from nb2prod.release.deployment import Deployment, Event
from nb2prod.release.gates import decisions
from nb2prod.release.record import ReleaseRecord
from nb2prod.release.running import places, proxy, servers, state
from nb2prod.release.running.kept import tail
from nb2prod.release.running.ledger import FILE, Instance, Ledger, Placement, event
from nb2prod.release.running.rollout import Change, NotDeployed, mend
from nb2prod.release.stages import book, steps

__all__ = [
    "Deployment", "NotDeployed", "Wish", "aliases", "all_deployments", "deploy", "history", "logs", "restart", "restore", "rollback",
    "status", "stop",
]  # fmt: skip

READY_SECONDS = 180.0
_POLL = 0.3


@dataclass(frozen=True)
class Wish:
    """How a release shall be deployed, as far as that is said."""

    name: str | None = None
    """Of the deployment; the Bento's by default."""
    host: str | None = None
    """Address to listen on; 127.0.0.1 by default."""
    port: int | None = None
    """By default a free one, from 3000 on; kept from then on."""
    proxied: bool | None = None
    """Through HAProxy; by default where that is installed."""
    container: Mapping[str, Any] | Literal[False] | None = None
    """For a container: `engine` (None: the first that answers) and `options` of its run. False for a process, which
    is also what None means where nothing is known of the deployment."""
    without_owner: bool = False
    """Take a release that nobody answers for."""
    owner: str | None = None
    """Who answers for the deployment from now on."""
    override_gate: str | None = None
    """Why it is deployed though a gate is not passed; recorded with who did it."""


def deploy(
    bento: str, wish: Wish = Wish(), *, timeout: float = READY_SECONDS, progress: Progress | None = None
) -> Deployment:
    """Put a release (name, its newest; or name:version) to work and return the deployment.

    Where it does not run yet, `wish` says how; afterwards a new version takes over at the same port. What is live
    already stays as it is. `timeout` is for becoming ready, and for another process that changes the deployment.

    Raises `InputError` for a release that there is not, `NotDeployed` where the new version does not come up, is
    not proved, has no owner or does not pass its gates, `EnvironmentProblem` where the machine lacks something. What was live stays live.
    """
    from nb2prod.bento import store

    progress = progress or NoProgress()
    release = release_to_deploy(bento, wish.name, wish.owner, without_owner=wish.without_owner)
    if wish.override_gate is not None and not wish.override_gate.strip():
        raise InputError("an override says why", 'For example: --override-gate "hotfix, agreed with Ada"')
    name = places.check_name(wish.name or release.name)
    ledger = Ledger()
    with places.lock(name, wait=timeout, told=progress.message):
        placement = ledger.placement(name)
        if placement is not None:
            placement = _free(ledger, mend(ledger, placement, wait=True))
        if placement is None or placement.live != release.version:
            pass_gates(ledger, name, release, wish.override_gate, progress)
        placement = _placed(ledger, placement, release, name, wish)
        if placement.live == release.version and _answers(ledger, placement):
            progress.message(f"{release.bento} is live already")
            _own(name, wish)
            return status(name)
        own = places.bento(name, release.version)
        source = own if own.is_dir() else store.find(release.bento).folder
        if placement.kind == "process":
            servers.program(source)  # its environment is made before anything is changed
        change = _change(ledger, placement, release.version, progress, timeout)
        change.any_port = wish.port is None and placement.live is None
        change.run(source, "deploy")
        _own(name, wish)
    return status(name)


def _own(name: str, wish: Wish) -> None:
    if wish.owner is not None:
        ownership.change(name, owner=wish.owner)


def _placed(ledger: Ledger, placement: Placement | None, release: ReleaseRecord, name: str, wish: Wish) -> Placement:
    """The deployment, made if it is new or does not run; one that runs keeps its place."""
    if placement is not None and placement.release != release.name:
        raise InputError(
            f"the deployment {name} serves {placement.release}, not {release.name}",
            "Give this one another name with --name.",
        )
    if placement is not None and _alive(ledger, placement):
        check_place(placement, wish)
        return placement
    if wish.proxied and proxy.installed() is None:
        raise EnvironmentProblem("there is no haproxy on this machine", "Install it (Debian: apt-get install haproxy).")
    known = None if placement is None else placement
    host = wish.host or (known.host if known else "127.0.0.1")
    port = wish.port or (known.port if known else None)
    if port is not None:
        places.check_port(host, port)
    proxied = proxy.installed() is not None if wish.proxied is None else wish.proxied
    before = known.settings if known else {}
    container = before.get("container") if wish.container is None else (wish.container or None)
    made = Placement(
        name,
        release.name,
        host,
        port or 0,
        kind="process" if container is None else "container",
        proxied=proxied,
        live=known.live if known else None,
        previous=known.previous if known else None,
        settings=servers.settings(container, before),
    )
    return made if port is not None else _with_free_port(ledger, made)


def _with_free_port(ledger: Ledger, made: Placement) -> Placement:
    """Saved at once: another new deployment may be looking for a port at this moment."""
    while True:
        found = replace(made, port=places.free_port(ledger, made.host))
        with suppress(InputError):
            return ledger.save(found)


def check_place(placement: Placement, wish: Wish) -> None:
    """What runs stays where and how it is: `InputError` for a wish of another place or way."""
    kind = None if wish.container is None else ("process" if wish.container is False else "container")
    asked = {"host": wish.host, "port": wish.port, "proxied": wish.proxied, "kind": kind}
    for what, value in asked.items():
        is_ = getattr(placement, what)
        if value not in (None, is_):
            raise InputError(
                f"{placement.name} runs with {what} {is_}, not {value}",
                f"Leave that option out, or end the deployment first: nb2prod stop {placement.name}",
            )


def status(name: str) -> Deployment:
    """How the deployment does, asked of its processes now; `InputError` for one that there is not."""
    ledger = Ledger()
    return state.described(ledger, _looked_after(ledger, _known(ledger, name)))


def all_deployments() -> tuple[Deployment, ...]:
    """All of them by name, as `status` of each."""
    ledger = Ledger()
    return tuple(state.described(ledger, _looked_after(ledger, item)) for item in ledger.placements())


def stop(
    name: str, *, until_restore: bool = False, forget: bool = False, progress: Progress | None = None
) -> Deployment:
    """End the deployment, its last requests answered. `deploy` or `restart` bring it back at its port.

    With `until_restore`, so does `restore`: for a machine that goes down. With `forget` it is no more: its port, its
    history and its copies of Bentos are gone; what is returned is how it was.
    """
    wanted = "restored" if until_restore else "stopped"
    progress = progress or NoProgress()
    ledger = Ledger()
    _known(ledger, name)
    with places.lock(name, wait=READY_SECONDS, told=progress.message):
        placement = steps.end(ledger, mend(ledger, _known(ledger, name), wait=True), "the deployment was stopped")
        if placement.wanted != wanted or ledger.instances(name):
            placement = ledger.save(replace(placement, wanted=wanted), event("stop", placement.live))
            progress.stage("drain")
            _end_all(ledger, placement)
            ledger.save(replace(placement, instance=None, proxy=None), event("stopped", placement.live))
        found = status(name)
        if forget:
            ledger.forget(name)
            book.forget(name)
            shutil.rmtree(places.folder(name), ignore_errors=True)
    return found


def restart(name: str, *, progress: Progress | None = None, timeout: float = READY_SECONDS) -> Deployment:
    """Start the live version anew: through HAProxy without a gap. Raises as `deploy`."""
    return _again(name, "restart", progress, timeout)


def rollback(name: str, *, progress: Progress | None = None, timeout: float = READY_SECONDS) -> Deployment:
    """Bring the previous release back; the one that was live becomes the previous one. Raises as `deploy`."""
    return _again(name, "rollback", progress, timeout)


def restore(
    name: str | None = None, *, progress: Progress | None = None, timeout: float = READY_SECONDS
) -> tuple[Deployment, ...]:
    """Start again whatever should run and does not, as after a reboot: this deployment, or all.

    Raises as `deploy` for the first that can't be, after the others were tried.
    """
    ledger = Ledger()
    chosen = [_known(ledger, name)] if name else list(ledger.placements())
    problem: Exception | None = None
    for item in chosen:
        if item.wanted == "stopped" or item.live is None or _answers(ledger, item):
            continue
        try:
            _again(item.name, "restore", progress, timeout)
        except (NotDeployed, EnvironmentProblem, InputError) as error:
            problem = problem or error
    if problem is not None:
        raise problem
    return tuple(status(item.name) for item in chosen)


def logs(name: str, *, lines: int = 100, follow: bool = False) -> Iterator[str]:
    """The last lines that the live server wrote; with `follow`, what it writes from then on, without end."""
    ledger = Ledger()
    placement = _known(ledger, name)
    shown: Path | None = None
    position = 0
    while True:
        instance = _live_instance(ledger, placement)
        kept = None if instance is None else places.kept(instance)
        log = places.last_log(name) if kept is None else kept.folder / "log"
        if log is not None and log != shown:
            shown, position = log, _size(log)  # before the first line is out: what comes meanwhile comes below
            yield from tail(log, lines)
        if not follow:
            return
        time.sleep(_POLL)
        if log is not None:
            if _size(log) < position:
                position = 0  # it was cut off as it had grown too long
            with suppress(OSError), log.open(encoding="utf-8", errors="replace") as file:
                file.seek(position)
                yield from (line.rstrip("\n") for line in file)
                position = file.tell()
        placement = _known(ledger, name)


def history(name: str) -> tuple[Event, ...]:
    """What was done to the deployment, the newest last."""
    ledger = Ledger()
    _known(ledger, name)
    return ledger.events(name)


def aliases() -> dict[str, tuple[str, ...]]:
    """What is live or previous anywhere, or in an environment: `name:version` -> `("live",)`, with the deployment where it is called otherwise."""
    found: dict[str, list[str]] = {}
    for item in Ledger().placements() if (home.home() / FILE).is_file() else ():
        for alias, version in (("live", item.live), ("previous", item.previous)):
            if version is not None:
                told = alias if item.name == item.release else f"{alias} ({item.name})"
                found.setdefault(f"{item.release}:{version}", []).append(told)
    for bento, environments in decisions.placed().items():
        found.setdefault(bento, []).extend(environments)
    return {bento: tuple(told) for bento, told in found.items()}


def _again(name: str, why: str, progress: Progress | None, timeout: float) -> Deployment:
    progress = progress or NoProgress()
    ledger = Ledger()
    _known(ledger, name)
    with places.lock(name, wait=timeout, told=progress.message):
        placement = _free(ledger, mend(ledger, _known(ledger, name), wait=True))
        version = placement.previous if why == "rollback" else placement.live
        if version is None:
            raise InputError(
                f"{name} has no {'previous release to go back to' if why == 'rollback' else 'live release'}",
                "`nb2prod list` names the releases; `nb2prod deploy` takes one.",
            )
        if not _alive(ledger, placement):
            _end_all(ledger, placement)
            placement = replace(placement, instance=None, proxy=None)
            places.check_port(placement.host, placement.port)
        _change(ledger, placement, version, progress, timeout).run(places.bento(name, version), why)
    return status(name)


def _change(ledger: Ledger, placement: Placement, version: str, progress: Progress, timeout: float) -> Change:
    change = Change(ledger, placement, version, progress, timeout)
    with suppress(InputError):  # the record may be gone: then the Bento is proved by its examples alone
        found = records.find(f"{placement.release}:{version}")
        change.cases = cases.read(found.path("cases.json"))
        change.tolerance = records.tolerance(found, change.cases)
    return change


def _known(ledger: Ledger, name: str) -> Placement:
    found = ledger.placement(name)
    if found is None:
        raise places.of_name(ledger, name)
    return found


def _looked_after(ledger: Ledger, placement: Placement) -> Placement:
    """Put right what was left behind, unless someone is changing it at this moment."""
    numbers = {item.id for item in ledger.instances(placement.name)}
    if placement.rollout is None and placement.canary is None and not numbers - {*placement.kept_instances}:
        return placement
    try:
        with places.lock(placement.name, wait=0.0):
            placement = mend(ledger, _known(ledger, placement.name))
            return steps.look_after(ledger, placement)
    except places.Busy:
        return placement


def _free(ledger: Ledger, placement: Placement) -> Placement:
    """The deployment without a rollout: one whose servers are gone is over, one that is under way is left alone (`InputError`)."""
    if _alive(ledger, placement):
        steps.check_free(placement)
        return placement
    return steps.end(ledger, placement, "what held the deployment's port was gone")


def _live_instance(ledger: Ledger, placement: Placement) -> Instance | None:
    return next((item for item in ledger.instances(placement.name) if item.id == placement.instance), None)


def _alive(ledger: Ledger, placement: Placement) -> bool:
    """Whether anything of it holds the deployment's port."""
    holders = (placement.proxy,) if placement.proxied else (placement.instance,)
    return any(item.id in holders and places.kept(item).alive for item in ledger.instances(placement.name))


def _answers(ledger: Ledger, placement: Placement) -> bool:
    return state.described(ledger, placement).state == "serving"


def _end_all(ledger: Ledger, placement: Placement) -> None:
    """The proxy first: it takes no more callers and answers those it has."""
    ordered = sorted(ledger.instances(placement.name), key=lambda item: item.id != placement.proxy)
    for item in ordered:
        places.kept(item).stop()
        places.discard(ledger, item)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
