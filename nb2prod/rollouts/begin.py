"""A staged rollout begins: what it needs is there, the canary is started and proved, its controller watches."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.parity import cases
from nb2prod.progress import NoProgress, Progress
from nb2prod.release import deployments, ownership, records
from nb2prod.release.admission import pass_gates, release_to_deploy
from nb2prod.release.deployment import Deployment
from nb2prod.release.deployments import READY_SECONDS, Wish
from nb2prod.release.gates import check
from nb2prod.release.person import user
from nb2prod.release.record import ReleaseRecord
from nb2prod.release.running import places, proxy, servers
from nb2prod.release.running.ledger import Ledger, Placement
from nb2prod.release.running.rollout import mend
from nb2prod.release.stages import steps
from nb2prod.release.stages.plan import SHADOW, Plan
from nb2prod.release.stages.state import StagedRollout
from nb2prod.rollouts.clock import seconds_now
from nb2prod.rollouts.questions import prediction_bins
from nb2prod.runtime.options import OptionProblem, Options

_SLOWER, _LEAST_BUDGET = 2.0, 0.05
"""Without a gate on latency an answer is late that takes so many times the live release's p99, and at least so many seconds."""


@dataclass(frozen=True)
class StagedWish:
    """How a rollout shall go, as far as that is said; see `Plan`."""

    stages: tuple[int, ...]
    hold: float = 600.0
    deadline: float = 86_400.0
    budget: float | None = None
    """Seconds; by default the gate p99_ms, or twice the live release's p99, or the service's own budget."""
    allowed_shift: float = 1.25
    max_changed: float | None = None


def begin(
    bento: str, wish: Wish, staged: StagedWish, *, timeout: float = READY_SECONDS, progress: Progress | None = None
) -> Deployment:
    """Start the release as a canary beside what is live and return the deployment; its controller does the rest.

    Raises `InputError` where there is no release or nothing live to compare it with, `NotDeployed` as `deploy`, `EnvironmentProblem` without an HAProxy that draws.
    """
    progress = progress or NoProgress()
    _check_proxy()
    release = release_to_deploy(bento, wish.name, wish.owner, without_owner=wish.without_owner)
    name = places.check_name(wish.name or release.name)
    ledger = Ledger()
    with places.lock(name, wait=timeout, told=progress.message):
        placement = _ready(ledger, name, release, wish)
        plan = _plan(placement, release, staged)
        pass_gates(ledger, name, release, wish.override_gate, progress)
        own = places.bento(name, release.version)
        source = own if own.is_dir() else _stored(release)
        if placement.kind == "process":
            servers.program(source)  # its environment is made before anything is changed
        known = cases.read(release.path("cases.json"))
        change = steps.CanaryChange(ledger, placement, release.version, progress, timeout, known)
        change.tolerance = records.tolerance(release, known)
        moment = seconds_now()
        rollout = StagedRollout(
            release.name, release.version, str(placement.live), plan, moment, moment, awaited="its first look"
        )
        placement = change.start(source, rollout, user())
        steps.settle(ledger, placement)
        steps.watch_over(placement)
    if wish.owner is not None:
        ownership.change(name, owner=wish.owner)
    return deployments.status(name)


def _check_proxy() -> None:
    program = proxy.installed()
    if program is None:
        raise EnvironmentProblem(
            "a staged rollout needs HAProxy, which gives each version its share of the requests, and there is none on this machine",
            "Install it (Debian: apt-get install haproxy), or deploy the version at once, without --stages.",
        )
    if not proxy.draws(program):
        raise EnvironmentProblem(
            f"{program} is too old for a staged rollout", "HAProxy 2.6 or newer can draw the requests of a canary."
        )


def _ready(ledger: Ledger, name: str, release: ReleaseRecord, wish: Wish) -> Placement:
    """The deployment, which must serve another version through an HAProxy that can draw."""
    found = ledger.placement(name)
    first = f"Deploy it at once the first time: nb2prod deploy {release.name}"
    if found is None or found.live is None:
        raise InputError(f"nothing is live in {name}: a canary has nothing to be compared with", first)
    placement = mend(ledger, found, wait=True)
    if placement.release != release.name:
        raise InputError(
            f"the deployment {name} serves {placement.release}, not {release.name}", "Name another one with --name."
        )
    steps.check_free(placement)
    deployments.check_place(placement, wish)
    if placement.live == release.version:
        raise InputError(f"{release.bento} is live already", "`nb2prod list` names the releases.")
    if deployments.status(name).state != "serving":
        raise InputError(f"{name} does not serve: see nb2prod status {name}", f"nb2prod restart {name}")
    if not placement.proxied:
        raise EnvironmentProblem(
            f"{name} runs without HAProxy, so that two versions can't share its port",
            f"nb2prod stop {name}; nb2prod deploy {release.name} --proxy; then the staged rollout.",
        )
    if not steps.can_draw(ledger, placement):
        raise EnvironmentProblem(
            f"the HAProxy of {name} was started by an nb2prod that had no staged rollouts",
            f"Start it anew, which leaves a short gap: nb2prod stop {name}; nb2prod restart {name}",
        )
    return placement


def _plan(placement: Placement, release: ReleaseRecord, staged: StagedWish) -> Plan:
    live = places.bento(placement.name, str(placement.live))
    options = _options(live)
    if staged.stages[0] == SHADOW and not options.request_log:
        raise InputError(
            f"{placement.release}:{placement.live} keeps no request log, whose rows a shadow stage asks again",
            "Build with `serving = { request_log = 1 }`, or begin without it: --stages 1,10,50,100",
        )
    gates = {item.name: item.bound for item in check.stated(release).gates}
    return Plan(
        staged.stages,
        staged.hold,
        staged.deadline,
        staged.budget or _budget(placement, gates, options.latency_budget),
        staged.allowed_shift,
        staged.max_changed if staged.max_changed is not None else gates.get(check.CHANGED),
        prediction_bins(live).names,
    )


def _budget(placement: Placement, gates: dict[str, float], own: float) -> float:
    """Seconds after which an answer is late."""
    if "p99_ms" in gates:
        return gates["p99_ms"] / 1000
    found = deployments.status(placement.name)
    if found.has_percentiles and found.p99 is not None:
        return min(max(_SLOWER * found.p99, _LEAST_BUDGET), own)
    return own


def _options(bento: Path) -> Options:
    """How the Bento's service behaves; the defaults where it is of another nb2prod, whose options are not known here."""
    with suppress(OptionProblem):
        return Options.load(bento / "src" / "options.json")
    return Options()


def _stored(release: ReleaseRecord) -> Path:
    from nb2prod.bento import store

    return store.find(release.bento).folder
