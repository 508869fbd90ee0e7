"""What a staged rollout does to a deployment: start the canary beside the live release, give it its share, make it live, take it out.

The record of rollouts says what shall be; `settle` makes it so, whoever calls it and however often: the controller at each look, and whoever looks at a deployment
whose controller was killed. The deployment's lock must be held.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from nb2prod import home
from nb2prod.errors import EnvironmentProblem, InputError, Nb2ProdError
from nb2prod.progress import NoProgress
from nb2prod.release.deployment import Event
from nb2prod.release.person import user
from nb2prod.release.running import places, proxy, servers
from nb2prod.release.running.kept import Command, Kept
from nb2prod.release.running.ledger import Canary, Instance, Ledger, Placement, Rollout, event, now
from nb2prod.release.running.rollout import Change, drain, point
from nb2prod.release.stages import book
from nb2prod.release.stages.plan import stage_name
from nb2prod.release.stages.state import StagedRollout, aborted, promoted

CONTROLLER = "nb2prod.rollouts.controller"
_REST = 120.0
"""Seconds after which a controller that kept dying is started again."""


class CanaryChange(Change):
    """A change of version whose two halves are apart: the canary starts now, and becomes live much later, or never."""

    def start(self, source: Path, rollout: StagedRollout, who: str) -> Placement:
        """Start the canary from the Bento at `source`, proved as any new version is, without a caller. Raises as `run`; what is live stays so."""
        servers.check(self.placement, self.version)
        self._begin("staged rollout")
        try:
            places.copy_bento(source, self.placement.name, self.version)
            self._done("copied")
            candidate = self._candidate()
            number = book.begin(self.placement.name, rollout, who)
            canary = Canary(self.version, candidate.id, number)
            self.placement = replace(self.placement, rollout=None, canary=canary, failure="")
            self._save(event("canary", self.version, rollout.plan.words))
        except BaseException as error:
            self._undo(error)
            raise
        return self.placement

    def promote(self) -> Placement:
        """Give the canary all callers; it is live, the release before is previous."""
        canary = self.placement.canary
        assert canary is not None
        candidate = self._instance(canary.instance)
        if candidate is None or self._proxy() is None:
            raise EnvironmentProblem(
                f"{self.version} can't be made live: {'its server' if candidate is None else 'HAProxy'} is gone",
                f"`nb2prod status {self.placement.name}` says how it does.",
            )
        before = self.placement.instance
        step = Rollout(self.version, "proved", now(), candidate.id, os.getpid())
        self.placement = replace(self.placement, rollout=step)
        self._save()
        self._switch(candidate)
        self.placement = replace(self.placement, canary=None)
        self._live(candidate.id)
        self._drain(before)
        self._finish()
        return self.placement


def settle(ledger: Ledger, placement: Placement) -> Placement:
    """Make the deployment what its rollout's record says: the canary's share, the canary live, or no canary; a controller where there is still something to decide.

    Raises `EnvironmentProblem` where HAProxy or the disk refuse.
    """
    canary = placement.canary
    if canary is None or placement.wanted != "running":
        return placement
    rollout = book.of_number(canary.rollout)
    if rollout is None:
        return _taken_out(ledger, placement, event("aborted", canary.version, "the record of its rollout is gone"))
    if rollout.outcome is not None and rollout.outcome != "promoted":
        return _taken_out(ledger, placement, event(rollout.outcome, canary.version, rollout.reason))
    if rollout.last:
        placement = CanaryChange(ledger, placement, canary.version, NoProgress(), 180.0).promote()
        close(placement)
        return placement
    apply_share(ledger, placement, rollout.share)
    return placement


def look_after(ledger: Ledger, placement: Placement) -> Placement:
    """Put right what a killed controller left: what shall be is made so, and the controller started again. What refuses is left for the next look."""
    if placement.canary is None:
        close(placement)
        return placement
    with contextlib.suppress(EnvironmentProblem):
        placement = settle(ledger, placement)
        watch_over(placement)
    return placement


def close(placement: Placement) -> None:
    """Write down how a rollout ended whose canary is no more, where whoever ended it was killed before that."""
    with contextlib.suppress(InputError):
        entry = book.newest(placement.name)
        if placement.canary is not None or entry.rollout.outcome is not None:
            return
        if placement.live == entry.rollout.version:
            book.change(entry.id, promoted)
        else:
            book.change(entry.id, lambda known: aborted(known, "", "it was interrupted"))


def end(ledger: Ledger, placement: Placement, why: str) -> Placement:
    """End the rollout, because of what is done to the whole deployment. Where none is under way, nothing happens."""
    canary = placement.canary
    controller(placement.name).stop()
    if canary is None:
        return placement
    if book.of_number(canary.rollout) is not None:
        book.change(canary.rollout, lambda known: aborted(known, user(), why))
    return _taken_out(ledger, placement, event("aborted", canary.version, why))


def check_free(placement: Placement) -> None:
    """`InputError` where a rollout is under way: one version at a time gets callers."""
    if placement.canary is not None:
        raise InputError(
            f"a staged rollout of {placement.canary.version} is under way in {placement.name}",
            f"See it: nb2prod rollout {placement.name}. Take the canary out: --abort. Give it all callers: --advance, stage by stage.",
        )


def apply_share(ledger: Ledger, placement: Placement, share: int) -> None:
    """Give the canary this share, in ten-thousandths, unless it has it."""
    canary, front, server = placement.canary, _proxy(ledger, placement), _canary(ledger, placement)
    assert canary is not None
    if front is None or server is None or server.port is None:
        return  # without HAProxy nobody is asked; who brings it back brings the share back
    switch = proxy.Switch(front.folder)
    there = proxy.slots(front.folder)
    slot = next((item.name for item in there if not item.active), None)
    if slot is None:
        raise EnvironmentProblem(f"HAProxy of {placement.name} has no slot for a canary")
    wanted = tuple(
        proxy.Slot(item.name, server.port, share=share) if item.name == slot else replace(item, share=0)
        for item in there
    )
    if switch.share(slot) == share and there == wanted:
        return
    if not share:
        switch.draw(slot, server.port, 0, _salt(canary))  # at once: what must end needs no disk
    text = proxy.configuration(placement.name, placement.host, placement.port, wanted, _salt(canary))
    proxy.write(front.folder, text)
    switch.draw(slot, server.port, share, _salt(canary))
    ledger.note(placement.name, event("share", canary.version, stage_name(share) if share else "none"))


def cut(ledger: Ledger, placement: Placement) -> None:
    """Take the callers from the canary at once, without writing anything; never raises."""
    front, server, canary = _proxy(ledger, placement), _canary(ledger, placement), placement.canary
    if front is None or server is None or server.port is None or canary is None:
        return
    with contextlib.suppress(Nb2ProdError):
        slot = next(item.name for item in proxy.slots(front.folder) if not item.active)
        proxy.Switch(front.folder).draw(slot, server.port, 0, _salt(canary))


def can_draw(ledger: Ledger, placement: Placement) -> bool:
    """Whether the deployment's running HAProxy can give a share of the requests to a canary."""
    front = _proxy(ledger, placement)
    return front is not None and proxy.Switch(front.folder).share("a") is not None


def answers(ledger: Ledger, placement: Placement) -> list[str]:
    """What HAProxy tells of the last answers; none where it does not run."""
    front = _proxy(ledger, placement)
    return [] if front is None else proxy.Switch(front.folder).answers()


def salt_of(placement: Placement) -> str:
    """The word by which HAProxy's lines of the deployment's rollout are known."""
    assert placement.canary is not None
    return _salt(placement.canary)


def canary_fault(ledger: Ledger, placement: Placement) -> str:
    """What is wrong with the canary's server itself; empty where it lives, though it may be starting again."""
    server = _canary(ledger, placement)
    if server is None:
        return "its server is gone"
    kept = places.kept(server)
    if kept.alive:
        return ""
    seen = kept.seen
    return seen.reason if seen is not None and seen.state == "failed" else "its server is dead, and nobody stopped it"


def watch_over(placement: Placement) -> None:
    """Start the controller of the deployment's rollout, unless it lives. Raises `EnvironmentProblem`."""
    kept = controller(placement.name)
    if placement.canary is None or kept.alive:
        return
    seen = kept.seen
    if seen is not None and seen.state == "failed" and seen.crashes and time.time() - seen.crashes[-1] < _REST:
        return
    kept.start(
        Command(
            (sys.executable, "-m", CONTROLLER, placement.name),
            kept.folder,
            version=placement.canary.version,
            environment=_homes(),
            drain_seconds=20.0,
        )
    )


def controller(name: str) -> Kept:
    """The keeper's folder of the deployment's controller."""
    return Kept(places.folder(name) / "rollout")


def _taken_out(ledger: Ledger, placement: Placement, happened: Event) -> Placement:
    server, front = _canary(ledger, placement), _proxy(ledger, placement)
    live = next((item for item in ledger.instances(placement.name) if item.id == placement.instance), None)
    cut(ledger, placement)
    if front is not None and live is not None and live.port is not None:
        point(front, placement, live.port)
    if server is not None:
        drain(front, server)
    placement = ledger.save(replace(placement, canary=None, failure=_failure(happened)), happened)
    if server is not None:
        places.kept(server).stop()
        places.discard(ledger, server)
    return placement


def _failure(happened: Event) -> str:
    return (
        f"{happened.version} was {happened.what}: {happened.detail}"
        if happened.what in ("withdrawn", "given up")
        else ""
    )


def _proxy(ledger: Ledger, placement: Placement) -> Kept | None:
    found = _instance(ledger, placement, placement.proxy)
    kept = None if found is None else places.kept(found)
    return kept if kept is not None and kept.alive else None


def _canary(ledger: Ledger, placement: Placement) -> Instance | None:
    return None if placement.canary is None else _instance(ledger, placement, placement.canary.instance)


def _instance(ledger: Ledger, placement: Placement, number: int | None) -> Instance | None:
    return next((item for item in ledger.instances(placement.name) if item.id == number), None)


def _salt(canary: Canary) -> str:
    return f"r{canary.rollout}"


def _homes() -> dict[str, str]:
    """Where the controller finds what this process finds."""
    given = {"NB2PROD_HOME": str(home.home())}
    bentos = os.environ.get("BENTOML_HOME")
    return {**given, "BENTOML_HOME": bentos} if bentos else given
