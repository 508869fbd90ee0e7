"""What a deployment is doing: its record and its processes together, in the words that all faces use."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from nb2prod.errors import InputError
from nb2prod.release import alarms, attempts, ownership, records, source
from nb2prod.release.deployment import Deployment, State
from nb2prod.release.ownership import Ownership
from nb2prod.release.record import ReleaseRecord
from nb2prod.release.running import places, probe
from nb2prod.release.running.keeper import Seen
from nb2prod.release.running.ledger import Instance, Ledger, Placement, Rollout
from nb2prod.release.stages.view import view

_EVENTS = 20
_RECENT = 300.0
_MANY = 2
_STEPS = {
    "ready": "{version} is up and is being proved",
    "proved": "{version} is proved; it gets its callers next",
    "switched": "{version} is proved; it gets its callers next",
}
"""What a first rollout says after its steps."""


@dataclass(frozen=True)
class _Found:
    """The processes of a deployment."""

    server: Instance | None
    server_alive: bool
    seen: Seen | None
    proxy_alive: bool
    asked: probe.Probe


def described(ledger: Ledger, placement: Placement) -> Deployment:
    """The deployment as it is at this moment."""
    found = _found(ledger, placement)
    word, notes = _state(placement, found)
    release = _release(placement)
    seen = found.seen if found.server_alive else None
    changed = None if release is None else source.notebook_changed(release)
    held = ownership.holding(placement.release, release, placement.name)
    hours = held.acknowledge_hours or ownership.ACKNOWLEDGE_HOURS
    rollout = view(placement)
    notes = _remarks(placement, release, held, changed, [*notes, *([] if rollout is None else [rollout.sentence])])
    return Deployment(
        name=placement.name,
        release=placement.release,
        version=placement.live,
        state=word,
        url=places.url(placement.host, placement.port),
        host=placement.host,
        port=placement.port,
        kind="container" if placement.kind == "container" else "process",
        previous=placement.previous,
        pid=seen.pid if seen else None,
        started=_moment(seen.started) if seen else None,
        uptime=round(time.time() - seen.started, 1) if seen else None,
        health=found.asked.health,
        requests=found.asked.requests,
        errors=found.asked.errors,
        p50=found.asked.p50,
        p99=found.asked.p99,
        crashes=len(found.seen.crashes) if found.seen else 0,
        proxied=placement.proxied,
        gap=placement.gap,
        parity=None if release is None else release.parity,
        owner=held.owner,
        runbook=held.runbook,
        overdue_alarms=alarms.overdue(placement.name, hours),
        notebook=None if release is None else release.notebook,
        notebook_changed=changed,
        rollout=rollout,
        notes=tuple(notes),
        events=ledger.events(placement.name, _EVENTS),
    )


def _found(ledger: Ledger, placement: Placement) -> _Found:
    instances = {item.id: item for item in ledger.instances(placement.name)}
    server = instances.get(placement.instance or 0)
    kept = None if server is None else places.kept(server)
    front = instances.get(placement.proxy or 0)
    alive = kept is not None and kept.alive
    asked = probe.Probe("no answer")
    if alive and server is not None:
        own = server.port is None
        host = places.reachable(placement.host) if own else "127.0.0.1"
        port = placement.port if own else server.port or 0
        asked = probe.ask(host, port, key=placement.settings.get("probe_key"))
    return _Found(
        server,
        alive,
        None if kept is None else kept.seen,
        front is not None and places.kept(front).alive,
        asked,
    )


def _state(placement: Placement, found: _Found) -> tuple[State, list[str]]:
    """The word, and the sentences that say why it is no better."""
    if placement.wanted != "running":
        return ("draining" if found.server_alive else "stopped"), []
    if (coming := _coming(placement, found)) is not None:
        return "starting", [coming]
    if placement.live is None:
        return "failed", [placement.failure or "nothing was ever live"]
    seen = found.seen
    if not found.server_alive:
        return _dead(placement, seen)
    if found.asked.health != "ready":
        if seen is not None and not seen.ready and not seen.crashes:
            return "starting", []
        return "degraded", [_unready(found)]
    if placement.proxied and not found.proxy_alive:
        return "degraded", [f"HAProxy is dead: nobody holds port {placement.port}; `nb2prod restart {placement.name}`"]
    recent = _recent(seen)
    if recent >= _MANY:
        assert seen is not None
        return "degraded", [f"it keeps crashing: {recent} times in the last five minutes; {seen.reason}"]
    return "serving", []


def _coming(placement: Placement, found: _Found) -> str | None:
    """How far a release is that is being started while nothing answers yet; None where nobody is at it."""
    rollout = placement.rollout
    if rollout is not None and not found.server_alive:
        return _words(rollout)
    # Its environment may have to be made before anything can be started.
    preparing = placement.live is None and not placement.failure and places.is_locked(placement.name)
    return "it is being prepared" if preparing else None


def _dead(placement: Placement, seen: Seen | None) -> tuple[State, list[str]]:
    if seen is not None and seen.state == "failed":
        return "failed", [seen.reason]
    bring = f"`nb2prod deploy --restore {placement.name}` brings it back"
    pid = f" (process {seen.pid})" if seen is not None else ""
    return "gone", [f"its keeper{pid} is dead, and nobody stopped it: {bring}"]


def _unready(found: _Found) -> str:
    seen = found.seen
    why = f"; {seen.reason}" if seen is not None and seen.reason else ""
    return f"its server runs, and {'says that it is not ready' if found.asked.health == 'not ready' else 'does not answer'}{why}"


def _recent(seen: Seen | None) -> int:
    return 0 if seen is None else sum(moment > time.time() - _RECENT for moment in seen.crashes)


def _release(placement: Placement) -> ReleaseRecord | None:
    if placement.live is None:
        return None
    with suppress(InputError):
        return records.find(f"{placement.release}:{placement.live}")
    return None


def _words(rollout: Rollout) -> str:
    """How far a rollout is, for whoever looks at the deployment meanwhile."""
    return _STEPS.get(rollout.step, "{version} is being started").format(version=rollout.version)


def _remarks(
    placement: Placement, release: ReleaseRecord | None, held: Ownership, changed: bool | None, state_notes: list[str]
) -> list[str]:
    """What its owner should know, after what its state is about."""
    notes = [*state_notes]
    if placement.live is not None and placement.failure:
        notes.append(f"the last rollout failed: {placement.failure}")
    if placement.rollout is not None and placement.live is not None:
        coming = _words(placement.rollout)
        if coming not in notes:  # it stands there already where nothing else answers
            notes.append(coming)
    if placement.gap:
        notes.append(
            f"the last change of version left {placement.gap:.1f} s without an answer: "
            "without HAProxy it is a restart on the same port"
        )
    if placement.live is not None and release is None:
        notes.append("its release record is gone: what it serves is a copy of its own")
    elif release is not None and not held.owner:
        notes.append(f"it has no owner: nb2prod own {placement.name} --owner WHO")
    notes += alarms.remarks(placement.name, held.acknowledge_hours or ownership.ACKNOWLEDGE_HOURS)
    notes += attempts.remarks(placement.name)
    if changed:
        notes.append("the notebook has changed since this was built")
    return notes


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
