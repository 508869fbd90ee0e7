"""The controller of a deployment's staged rollout: `python -m nb2prod.rollouts.controller NAME`, kept alive by a keeper of its own.

It looks once a second: what was answered since is counted, the rule decides, and what follows is done. It holds nothing that a kill could lose: what was counted and decided is in the
record of rollouts, what was answered meanwhile is in HAProxy's memory, and what was decided but not done is done by the next look.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

from nb2prod.errors import InputError, Nb2ProdError
from nb2prod.parity.faults import ServiceFault
from nb2prod.release.running import answers, places
from nb2prod.release.running.ledger import Ledger, Placement
from nb2prod.release.running.rollout import mend
from nb2prod.release.stages import book, steps
from nb2prod.release.stages.plan import SHADOW
from nb2prod.release.stages.standing import standing
from nb2prod.release.stages.state import Change, Shadow, StagedRollout, counted, decided
from nb2prod.rollouts import shadow
from nb2prod.rollouts.clock import seconds_now
from nb2prod.rollouts.questions import PredictionBins, prediction_bins, tallies

EVERY = 1.0
"""Seconds between two looks."""
SHADOW_EVERY = 60.0
"""Seconds until the log is read again where its rows were too few."""


class Controller:
    """Looks after one deployment's rollout."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._shadowed = -SHADOW_EVERY
        self._bins: PredictionBins | None = None

    def look(self) -> bool:
        """Count, decide, do. Returns whether there is anything left to look at. Raises `Nb2ProdError` where something refuses; nothing is lost then."""
        ledger = Ledger()
        placement = ledger.placement(self.name)
        if placement is None or placement.canary is None:
            if placement is not None:
                steps.close(placement)
            return False
        rollout = book.of_number(placement.canary.rollout)
        if rollout is not None and rollout.outcome is None and not rollout.last:
            self._judge(ledger, placement, rollout)
        with places.lock(self.name, wait=30.0):
            found = ledger.placement(self.name)
            if found is not None and found.canary is not None:
                found = steps.settle(ledger, mend(ledger, found, wait=True))
        return found is not None and found.canary is not None

    def _judge(self, ledger: Ledger, placement: Placement, rollout: StagedRollout) -> None:
        assert placement.canary is not None
        fault = steps.canary_fault(ledger, placement)
        seen = replace(rollout, shadow=self._shadow(placement, rollout)) if rollout.share == SHADOW else rollout
        lines = answers.after(steps.answers(ledger, placement), rollout.read)
        salt = steps.salt_of(placement)
        requests = [found for line in lines if (found := answers.read(line)) is not None and found.salt == salt]
        read = lines[-1].partition(" ")[0] if lines else rollout.read
        known = book.known_callers(placement.canary.rollout) if any(item.key is not None for item in requests) else ()
        new, callers = tallies(requests, self._prediction_bins(placement, rollout), rollout.plan.budget, known)
        standing_now = standing(counted(seen, new, read))
        if fault or standing_now.harmful:
            steps.cut(ledger, placement)  # at once, whatever the disk says to writing it down
        moment = seconds_now()

        def step(before: StagedRollout) -> Change:
            after = counted(replace(before, shadow=seen.shadow), new, read)
            if before.stage != rollout.stage:
                return after, None  # somebody advanced it meanwhile: these numbers are not of its stage
            return decided(after, standing_now, moment, fault)

        book.change(placement.canary.rollout, step, callers)

    def _shadow(self, placement: Placement, rollout: StagedRollout) -> Shadow | None:
        if time.monotonic() - self._shadowed < SHADOW_EVERY:
            return rollout.shadow
        self._shadowed = time.monotonic()
        return shadow.shadow(placement, rollout.version) or rollout.shadow

    def _prediction_bins(self, placement: Placement, rollout: StagedRollout) -> PredictionBins:
        if self._bins is None:
            found = prediction_bins(places.bento(placement.name, rollout.stable)) if rollout.plan.bins else None
            self._bins = found or PredictionBins(())
        return self._bins


def run(name: str) -> int:
    """Look until the rollout is over; then the keeper of this process is told that it need not start it again."""
    controller = Controller(name)
    while True:
        try:
            if not controller.look():
                break
        except (Nb2ProdError, ServiceFault) as error:
            _tell(name, str(error))
        time.sleep(EVERY)
    steps.controller(name).end()
    time.sleep(60)  # the keeper ends it
    return 0


def _tell(name: str, problem: str) -> None:
    """Keep why a look failed where `status` finds it; a disk that refuses even that has the keeper's log alone."""
    sys.stderr.write(f"{problem}\n")
    sys.stderr.flush()
    try:
        placement = Ledger().placement(name)
        if placement is not None and placement.canary is not None:
            book.change(placement.canary.rollout, lambda before: (replace(before, problem=problem), None))
    except (Nb2ProdError, InputError):
        return


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
