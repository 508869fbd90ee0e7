"""A staged rollout as the faces show it."""

from __future__ import annotations

from datetime import UTC, datetime

from nb2prod.release.deployment import RolloutView
from nb2prod.release.running.ledger import Placement
from nb2prod.release.stages import book, steps
from nb2prod.release.stages.plan import WHOLE, stage_name


def view(placement: Placement) -> RolloutView | None:
    """The deployment's rollout under way; None where there is none."""
    if placement.canary is None:
        return None
    rollout = book.of_number(placement.canary.rollout)
    if rollout is None:
        return None
    here = rollout.standing
    looked = steps.controller(placement.name).alive
    return RolloutView(
        version=rollout.version,
        stable=rollout.stable,
        stage=rollout.stage_name,
        share=rollout.share / WHOLE,
        stages=tuple(map(stage_name, rollout.plan.stages)),
        began=_moment(rollout.began),
        since=_moment(rollout.since),
        paused=rollout.paused is not None,
        evidence=here.evidence,
        needed=here.needed,
        leading=here.leading if here.requests else "",
        requests=here.requests,
        wanted=here.wanted,
        rates={kind: (rates.canary, rates.stable) for kind, rates in here.rates.items()},
        awaited=rollout.awaited,
        problem=rollout.problem or ("" if looked else "nobody looks after it: its controller is dead"),
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
