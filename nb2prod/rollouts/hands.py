"""What can be done to a staged rollout by hand: advance, abort, pause, resume. Recorded with who did it and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from nb2prod.errors import InputError
from nb2prod.progress import NoProgress, Progress
from nb2prod.release import deployments
from nb2prod.release.deployment import Deployment
from nb2prod.release.person import user
from nb2prod.release.running import places
from nb2prod.release.running.ledger import Ledger
from nb2prod.release.running.rollout import mend
from nb2prod.release.stages import book, steps
from nb2prod.release.stages.state import Change, StagedRollout, aborted, advanced_by_hand, paused, resumed
from nb2prod.rollouts.clock import seconds_now

Act = Literal["advance", "abort", "pause", "resume"]
_STEPS: dict[Act, Callable[[StagedRollout, float, str, str], Change]] = {
    "advance": advanced_by_hand,
    "abort": lambda rollout, _, who, why: aborted(rollout, who, why),
    "pause": paused,
    "resume": resumed,
}


def act(name: str, what: Act, why: str = "", progress: Progress | None = None) -> Deployment:
    """Do this to the deployment's rollout and return the deployment; it is done when this returns.

    Raises `InputError` where no rollout is under way or this can't be done to it now.
    """
    progress = progress or NoProgress()
    ledger = Ledger()
    with places.lock(name, wait=60.0, told=progress.message):
        found = ledger.placement(name)
        if found is None:
            raise places.of_name(ledger, name)
        placement = mend(ledger, found, wait=True)
        if placement.canary is None:
            steps.close(placement)
            raise InputError(
                f"no staged rollout is under way in {name}", f"nb2prod deploy {name} --stages shadow,1,10,50,100"
            )
        _, decision = book.change(
            placement.canary.rollout, lambda rollout: _STEPS[what](rollout, seconds_now(), user(), why.strip())
        )
        if decision is None:
            raise InputError(
                f"the rollout of {placement.canary.version} can't be {_DONE[what]} now",
                f"See it: nb2prod rollout {name}",
            )
        placement = steps.settle(ledger, placement)
        steps.watch_over(placement)
    return deployments.status(name)


_DONE: dict[Act, str] = {"advance": "advanced", "abort": "aborted", "pause": "paused", "resume": "resumed"}
