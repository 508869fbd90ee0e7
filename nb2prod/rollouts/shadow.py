"""The shadow stage: logged requests of the live release are asked of the canary's Bento, and nobody gets the answers."""

from __future__ import annotations

from nb2prod.errors import InputError
from nb2prod.release.running.ledger import Placement
from nb2prod.release.stages.state import Shadow
from nb2prod.watching import replay, subject

ROWS = 2_000


def shadow(placement: Placement, version: str) -> Shadow | None:
    """What the version answers to logged rows; None where the log has none that can be asked. Raises `EnvironmentProblem`, `ServiceFault` where its Bento can't be served."""
    try:
        found = replay.replay(
            subject.find(placement.name), replay.Wish(against=f"{placement.release}:{version}", most=ROWS)
        )
    except InputError:
        return None
    return Shadow(found.asked, found.failing, found.differing, found.sentence)
