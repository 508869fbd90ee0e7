"""What the counts of a staged rollout say: the evidence of all its stages together, and how many requests the stage at hand needs."""

from __future__ import annotations

from nb2prod.evidence.canary import ALPHA, HARM, KINDS, SHIFT, CanaryEvidence, Counts, requests_needed
from nb2prod.evidence.families import as_number, needed
from nb2prod.release.stages.plan import WHOLE
from nb2prod.release.stages.state import Rates, StagedRollout, Standing, Tally

_GRID = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
"""Rates are rounded up to one of these, so that how many requests are needed is worked out a few times only."""
_RARE = 0.2
"""A bin that is more frequent need not be asked about: where it loses or gains, the others gain or lose as much."""


def standing(rollout: StagedRollout) -> Standing:
    """What the counts say. Evidence is gathered over all stages; rates and requests are those of the stage."""
    evidence = CanaryEvidence(KINDS, rollout.plan.bins, allowed=rollout.plan.allowed_shift)
    for item in rollout.tallies:
        if 0 < item.share < WHOLE:
            evidence.add(item.share / WHOLE, Counts(item.canary, item.all, item.events, item.bins))
    here = rollout.here
    rates = {name: _rates(here, name) for name in KINDS}
    return Standing(
        as_number(evidence.evidence),
        as_number(needed(1, ALPHA)),
        evidence.harmful,
        evidence.leading,
        here.canary,
        _wanted(rollout, rates, [float(weight) for weight in evidence.weights]),
        rates,
    )


def _rates(tally: Tally, kind: str) -> Rates:
    mine, whole = tally.events.get(kind, (0, 0))
    return Rates(mine / max(tally.canary, 1), (whole - mine) / max(tally.all - tally.canary, 1))


def _wanted(rollout: StagedRollout, rates: dict[str, Rates], weights: list[float]) -> int | None:
    """How many requests the canary must answer at this share: as many as the question takes that takes most."""
    here = rollout.here
    if not 0 < here.share < WHOLE or here.all <= here.canary:
        return None
    share = here.share / WHOLE
    found = []
    for kind, weight in zip(KINDS, weights, strict=False):
        rate = _rounded(rates[kind].stable)
        if rate is None:
            if kind == KINDS[0]:
                return None  # nothing worse than the stable release could be
            continue
        found.append(requests_needed(share, rate, weight, harm=max(HARM, rate / 2)))
    if here.bins:
        most = max((whole - mine) / (here.all - here.canary) for mine, whole in here.bins.values())
        rate = _rounded(min(most, _RARE)) or 0.0
        found.append(requests_needed(share, rate, weights[-1], harm=SHIFT, allowed=rollout.plan.allowed_shift))
    return max(found)


def _rounded(rate: float) -> float | None:
    """The next rate of the grid; None where it is so high that a rise can't be seen."""
    return next((item for item in _GRID if rate <= item < _GRID[-1]), None)
