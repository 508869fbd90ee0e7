"""One change of version: start, prove, switch, drain. What is live is live until another version is proved.

Each step is written down when it is done, so that one that was killed is found and put right by `mend`:

    begun      the deployment is being changed
    copied     the new version's Bento lies beside the deployment
    started    its server was given to a keeper, at a port of its own
    ready      it says that it is ready
    proved     it answers its examples, and some of the notebook's rows as the notebook did
    switched   the callers reach it
    live       the record names it as live, the one before as previous; from here on nothing goes back
    (done)     the old server has answered its last request and ended

Without HAProxy the version that is proved on a port of its own then has to take the deployment's port: the keeper
of that port exchanges the servers, and puts the old one back if the new one does not come up.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nb2prod.errors import EnvironmentProblem, Nb2ProdError
from nb2prod.parity.cases import Cases
from nb2prod.parity.client import Client
from nb2prod.progress import Progress
from nb2prod.release.deployment import Event
from nb2prod.release.running import places, proxy, servers, smoke
from nb2prod.release.running.kept import Kept
from nb2prod.release.running.ledger import Instance, Ledger, Placement, Rollout, event, now
from nb2prod.runtime.equality import Tolerance

_POLL = 0.1
_DRAIN_SECONDS = 40.0
_SHORT_DRAIN_SECONDS = 2.0
"""Where someone only looks; who looks next goes on."""
_MOST_CRASHES = 2
"""Before it is ever ready: what ends twice while starting will not start."""
_LOG_LINES = 15


class NotDeployed(Nb2ProdError):
    """The new version was not taken into service; what was live before still is."""

    exit_code = 1
    kind = "not deployed"


@dataclass
class Change:
    """A rollout under way. The deployment's lock must be held."""

    ledger: Ledger
    placement: Placement
    version: str
    progress: Progress
    seconds: float
    """Time to become ready."""
    cases: Cases | None = None
    """The release's, where they are at hand."""
    tolerance: Tolerance = field(default_factory=Tolerance)
    any_port: bool = False
    """Nobody asked for the port: where another program takes it meanwhile, the next free one does."""

    def run(self, source: Path, why: str) -> Placement:
        """Bring the version into service from the Bento at `source`. `why` is `deploy`, `rollback`, `restart` or `restore`.

        Raises `NotDeployed`, `EnvironmentProblem` or what interrupted it; the version before is live as it was.
        """
        servers.check(self.placement, self.version)
        self._begin(why)
        try:
            places.copy_bento(source, self.placement.name, self.version)
            self._done("copied")
            self._serve()
        except BaseException as error:
            self._undo(error)
            raise
        return self.placement

    def _serve(self) -> None:
        if self.placement.proxied:
            candidate = self._candidate()
            before = self.placement.instance
            self._switch(candidate)
            self._live(candidate.id)
            self._drain(before)
        elif self._runs(self.placement.instance):
            candidate = self._candidate()
            self._end(candidate)
            self._exchange()
            self._live(self.placement.instance)
        else:
            before = self.placement.instance
            self._settle_port()
            server = self._proved(self.ledger.add_instance(self.placement.name, self.version, None))
            self._done("switched")
            self._live(server.id)
            self._remove(before)
        self._finish()

    # -- steps --

    def _begin(self, why: str) -> None:
        rollout = Rollout(self.version, "begun", now(), process=os.getpid())
        self.placement = replace(self.placement, rollout=rollout, wanted="running")
        self._save(event(why, self.version))

    def _candidate(self) -> Instance:
        """The new version's server at a port of its own, proved."""
        return self._proved(places.private_instance(self.ledger, self.placement.name, self.version))

    def _proved(self, instance: Instance) -> Instance:
        assert self.placement.rollout is not None
        self.placement = replace(self.placement, rollout=replace(self.placement.rollout, instance=instance.id))
        self._save()
        self.progress.stage(f"start {self.placement.release}:{self.version}")
        kept = places.kept(instance)
        kept.start(servers.command(self.placement, instance, self.version, self.seconds))
        self._done("started")
        self._await_ready(kept)
        self._done("ready")
        self.progress.stage("prove")
        self._prove(instance)
        self._done("proved")
        return instance

    def _await_ready(self, kept: Kept, what: str = "") -> None:
        deadline = time.monotonic() + self.seconds
        while True:
            seen = kept.seen
            if seen is not None and seen.ready:
                return
            if not kept.alive or (seen is not None and len(seen.crashes) >= _MOST_CRASHES):
                why = seen.reason if seen is not None and seen.reason else "its server ended"
                raise self._failed(f"{what}never became ready: {why}", kept)
            if time.monotonic() > deadline:
                raise self._failed(f"{what}was not ready within {self.seconds:g} s", kept)
            time.sleep(_POLL)

    def _prove(self, instance: Instance) -> None:
        host, port = self._address(instance)
        client = Client(places.url(host, port), headers={"X-API-Key": self.placement.settings["probe_key"]})
        tag = f"{self.placement.release}:{self.version}"
        suspect = smoke.Suspect(
            client, places.bento(self.placement.name, self.version), tag, self.cases, self.tolerance
        )
        try:
            found = smoke.fault(suspect)
        finally:
            client.close()
        if found is not None:
            raise self._failed(f"failed its smoke test: {found}", places.kept(instance))

    def _switch(self, candidate: Instance) -> None:
        """Through HAProxy; the first time, the proxy itself is started."""
        self.progress.stage("switch")
        port = candidate.port
        assert port is not None
        kept = self._proxy()
        if kept is None:
            self._settle_port()
        placement = self.placement
        if kept is None:
            instance = self.ledger.add_instance(placement.name, None, None)
            kept = places.kept(instance)
            there = (proxy.Slot("a", port, active=True), proxy.Slot("b", None))
            proxy.write(kept.folder, proxy.configuration(placement.name, placement.host, placement.port, there))
            self.placement = replace(placement, proxy=instance.id)
            self._save()
            kept.start(proxy.command(placement.name, kept.folder, placement.host, placement.port))
            self._await_ready(kept, "can't be reached: HAProxy ")
        else:
            point(kept, placement, port)
        self._done("switched")

    def _exchange(self) -> None:
        """On the deployment's own port, by its keeper."""
        self.progress.stage("switch")
        instance = self._instance(self.placement.instance)
        assert instance is not None
        kept = places.kept(instance)
        serial = kept.exchange(servers.command(self.placement, instance, self.version, self.seconds))
        self._done("switched")
        while True:
            seen = kept.seen
            if seen is not None and seen.serial >= serial:
                self.placement = replace(self.placement, gap=seen.gap)
                return
            if seen is not None and seen.refused >= serial:
                raise self._failed(f"did not come up on port {self.placement.port}: {seen.reason}", kept)
            if not kept.alive:
                raise self._failed("was lost: its keeper ended", kept)
            time.sleep(_POLL)

    def _live(self, instance: int | None) -> None:
        """The one step after which nothing goes back."""
        before = self.placement
        moved = before.live != self.version
        gap = 0.0 if before.proxied and before.instance is not None else before.gap
        self.placement = replace(
            before,
            live=self.version,
            previous=before.live if moved and before.live is not None else before.previous,
            instance=instance,
            gap=gap,
            failure="",
        )
        self._done("live")

    def _drain(self, before: int | None) -> None:
        instance = self._instance(before)
        if instance is None:
            return
        self.progress.stage("drain")
        drain(self._proxy(), instance)
        self._remove(before)

    def _finish(self) -> None:
        self.placement = replace(self.placement, rollout=None)
        self._save()

    def _settle_port(self) -> None:
        """The deployment's port, just before something listens there; starting a server took its time."""
        here = self.placement
        if self.any_port and places.why_taken(here.host, here.port) is not None:
            self.placement = replace(here, port=places.free_port(self.ledger, here.host))
            self._save()
        places.check_port(here.host, self.placement.port)

    # -- when it goes wrong --

    def _undo(self, error: BaseException) -> None:
        """Back to what was live. Never raises: the error at hand is the one to show."""
        rollout = self.placement.rollout
        if rollout is not None and rollout.step == "live":
            return  # the new version answers; what is left to do is done by `mend`
        why = error.message.splitlines()[0] if isinstance(error, Nb2ProdError) else "interrupted"
        with contextlib.suppress(Nb2ProdError):
            self.placement = replace(self.placement, failure=why)
            self._save(event("failed", self.version, why))
            self.placement = mend(self.ledger, self.placement, wait=True)

    def _failed(self, what: str, kept: Kept) -> NotDeployed:
        log = "".join(f"\n    {line}" for line in kept.last_lines(_LOG_LINES).splitlines())
        live = self.placement.live
        stays = f"{live} is live as before." if live else "Nothing was live before."
        return NotDeployed(f"{self.placement.release}:{self.version} {what}{log}", stays)

    # -- small things --

    def _address(self, instance: Instance) -> tuple[str, int]:
        if instance.port is not None:
            return "127.0.0.1", instance.port
        return self.placement.host, self.placement.port

    def _instance(self, number: int | None) -> Instance | None:
        return next((item for item in self.ledger.instances(self.placement.name) if item.id == number), None)

    def _runs(self, number: int | None) -> bool:
        instance = self._instance(number)
        return instance is not None and places.kept(instance).alive

    def _proxy(self) -> Kept | None:
        instance = self._instance(self.placement.proxy)
        kept = None if instance is None else places.kept(instance)
        return kept if kept is not None and kept.alive else None

    def _end(self, instance: Instance) -> None:
        places.kept(instance).stop()
        places.discard(self.ledger, instance)

    def _remove(self, number: int | None) -> None:
        instance = self._instance(number)
        if instance is not None:
            self._end(instance)

    def _done(self, step: str) -> None:
        assert self.placement.rollout is not None
        self.placement = replace(self.placement, rollout=replace(self.placement.rollout, step=step))
        self._save(event(step, self.version))

    def _save(self, *events: Event) -> None:
        self.ledger.save(self.placement, *events)


def point(kept: Kept, placement: Placement, port: int) -> None:
    """Have the running proxy send all new requests to this port."""
    there = proxy.slots(kept.folder)
    slot = next((s.name for s in there if s.port == port), None) or next(s.name for s in there if not s.active)
    changed = tuple(
        proxy.Slot(s.name, port, active=True) if s.name == slot else replace(s, active=False, share=0) for s in there
    )
    proxy.write(kept.folder, proxy.configuration(placement.name, placement.host, placement.port, changed))
    proxy.Switch(kept.folder).to(port)


def drain(kept: Kept | None, instance: Instance, seconds: float = _DRAIN_SECONDS) -> bool:
    """Wait until the proxy has no request left at this server; whether that came true in time."""
    if kept is None or not kept.alive or instance.port is None:
        return True
    try:
        return proxy.Switch(kept.folder).drained(instance.port, seconds)
    except Nb2ProdError:
        return True  # without the proxy nobody reaches it


def mend(ledger: Ledger, placement: Placement, *, wait: bool = False) -> Placement:
    """Put right what an interrupted rollout left: callers at the live version, no server that nobody wants.

    The deployment's lock must be held. `wait` for the end of servers that are ended.
    """
    instances = {item.id: item for item in ledger.instances(placement.name)}
    live = instances.get(placement.instance or 0)
    if placement.rollout is not None:
        if live is not None and not _exchanged(places.kept(live), wait):
            return placement
        try:
            placement = _settled(ledger, placement, instances)
        except EnvironmentProblem:
            if wait:
                raise
            return placement  # nothing is ended while callers may be with it; who looks next tries again
    front = instances.get(placement.proxy or 0)
    kept_front = None if front is None else places.kept(front)
    for number, item in instances.items():
        if number in placement.kept_instances:
            continue
        # Callers may have reached it: it answers them before it ends.
        kept = places.kept(item)
        drained = drain(kept_front, item, _DRAIN_SECONDS if wait else _SHORT_DRAIN_SECONDS) or wait
        if drained and (kept.stop() if wait else _ended(kept)):
            places.discard(ledger, item)
    return placement


def _exchanged(kept: Kept, wait: bool) -> bool:
    """Whether the keeper is done with what it was asked for; it goes on whoever asked."""
    while wait and kept.exchanging:
        time.sleep(_POLL)
    return not kept.exchanging


def _settled(ledger: Ledger, placement: Placement, instances: Mapping[int, Instance]) -> Placement:
    rollout = placement.rollout
    assert rollout is not None
    live = instances.get(placement.instance or 0)
    changed = replace(placement, rollout=None)
    if rollout.step == "live":
        return ledger.save(changed, event("finished", rollout.version, "after an interruption"))
    if live is not None and not placement.proxied:
        seen = places.kept(live).seen
        if seen is not None and seen.version == rollout.version != placement.live:
            # The keeper of the port has exchanged the servers already: the record follows.
            changed = replace(changed, live=rollout.version, previous=placement.live, gap=seen.gap, failure="")
            return ledger.save(changed, event("live", rollout.version, "after an interruption"))
    if placement.proxied:
        changed = _returned(changed, instances, live)
    if placement.failure:
        return ledger.save(changed)
    why = f"the rollout of {rollout.version} was interrupted after the step {rollout.step!r}"
    return ledger.save(replace(changed, failure=why), event("interrupted", rollout.version, f"after {rollout.step}"))


def _returned(placement: Placement, instances: Mapping[int, Instance], live: Instance | None) -> Placement:
    """The proxy sends its callers to the live version again; without one, there is nothing to stand before."""
    held = instances.get(placement.proxy or 0)
    kept = None if held is None else places.kept(held)
    if live is None:
        return replace(placement, proxy=None)
    if kept is not None and kept.alive and live.port is not None:
        point(kept, placement, live.port)
    return placement


def _ended(kept: Kept) -> bool:
    kept.end()
    return not kept.alive
