"""What is known of a staged rollout, and how it changes: plain values and functions from one to the next, without clock, files or processes.

    shadow -> 1 % -> 10 % -> ... -> promoted
       |        |      |
       +--------+------+---> withdrawn (harm), given up (no data in time), aborted (by hand)

A rollout that has an outcome never changes again. `decided` is the one place where a stage ends by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from nb2prod.release.stages.plan import SHADOW, WHOLE, Plan, stage_name

Outcome = Literal["promoted", "withdrawn", "given up", "aborted"]
Pairs = Mapping[str, tuple[int, int]]
"""By question: (of the canary, of all)."""
FAILING = 0.5
"""A canary that leaves so large a share of its requests without an answer is not promoted, though the stable release be as bad."""


@dataclass(frozen=True)
class Tally:
    """What was answered while the canary had this share. `canary` counts are part of `all` counts."""

    share: int
    canary: int = 0
    all: int = 0
    events: Pairs = field(default_factory=dict)
    bins: Pairs = field(default_factory=dict)

    def plus(self, other: Tally) -> Tally:
        """Both together; they must be of one share."""
        return Tally(
            self.share,
            self.canary + other.canary,
            self.all + other.all,
            _sum(self.events, other.events),
            _sum(self.bins, other.bins),
        )


@dataclass(frozen=True)
class Shadow:
    """What the canary answered to logged requests: of `asked` rows it left `failing` without an answer that they had, and `differing` have another answer."""

    asked: int
    failing: int
    differing: int
    sentence: str


@dataclass(frozen=True)
class Rates:
    """How often something happened: of the canary's requests, and of the stable release's."""

    canary: float
    stable: float


@dataclass(frozen=True)
class Standing:
    """What the numbers say at this moment. `evidence` is a number, 1 is none; at `needed` the canary is withdrawn."""

    evidence: float = 1.0
    needed: float = 1000.0
    harmful: bool = False
    leading: str = ""
    """The question that speaks most against the canary."""
    requests: int = 0
    """That the canary has answered in this stage."""
    wanted: int | None = None
    """So many it must answer until harm would have been seen; None where no number is enough, or nothing was asked yet."""
    rates: Mapping[str, Rates] = field(default_factory=dict)
    """Of this stage, by kind of event."""

    @property
    def enough(self) -> bool:
        """Whether harm would have been seen."""
        return self.wanted is not None and 0 < self.wanted <= self.requests

    @property
    def failing(self) -> bool:
        """Whether the canary hardly answers."""
        errors = self.rates.get("errors")
        return errors is not None and errors.canary >= FAILING


@dataclass(frozen=True)
class StagedRollout:
    """A staged rollout. Moments are seconds since 1970; `since` is when its stage began, without the time that it was paused."""

    release: str
    version: str
    stable: str
    plan: Plan
    began: float
    since: float
    stage: int = 0
    paused: float | None = None
    """Since when it is held by hand; it may be withdrawn all the same."""
    outcome: Outcome | None = None
    reason: str = ""
    """Of the outcome, in a sentence."""
    shadow: Shadow | None = None
    tallies: tuple[Tally, ...] = ()
    read: str = ""
    """The last of HAProxy's lines that was counted."""
    problem: str = ""
    """Why the last look could not be taken; empty where it could."""
    standing: Standing = Standing()
    awaited: str = ""
    """What the next stage waits for, in words."""

    @property
    def share(self) -> int:
        """The share of the requests that the canary shall have now, in ten-thousandths."""
        return 0 if self.outcome is not None else self.plan.stages[self.stage]

    @property
    def last(self) -> bool:
        """Whether the canary has passed all stages and gets all callers: there is nothing to compare it with any more."""
        return self.share == WHOLE

    @property
    def stage_name(self) -> str:
        """The stage as it is spoken of."""
        return stage_name(self.plan.stages[self.stage])

    @property
    def here(self) -> Tally:
        """What was counted at the share of this stage."""
        share = self.plan.stages[self.stage]
        return next((item for item in self.tallies if item.share == share), Tally(share))


@dataclass(frozen=True)
class Decision:
    """Something that was decided, with the numbers that it was decided by. `who` is empty where the rule did it."""

    what: str
    """`began`, `advanced`, or an outcome; `paused`, `resumed`."""
    stage: str
    reason: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    who: str = ""


Change = tuple[StagedRollout, Decision | None]
"""The rollout after a step, and what was decided in it."""


def counted(rollout: StagedRollout, seen: Iterable[Tally], read: str) -> StagedRollout:
    """The rollout with what was answered since; `read` is the last line of it."""
    if rollout.outcome is not None:
        return rollout
    known = {item.share: item for item in rollout.tallies}
    for item in seen:
        known[item.share] = known[item.share].plus(item) if item.share in known else item
    return replace(rollout, tallies=tuple(known[share] for share in sorted(known)), read=read)


def decided(rollout: StagedRollout, standing: Standing, now: float, fault: str = "") -> Change:
    """What follows from the numbers at this moment: harm ends the rollout, a stage that is over leads to the next, one that takes too long is given up.

    `fault` says what is wrong with the canary itself, as that its server was given up.
    """
    if rollout.outcome is not None or rollout.last:
        return rollout, None
    seen = replace(rollout, standing=standing, problem="", awaited="")
    harm = fault or _harm(seen)
    if harm:
        return _ended(seen, "withdrawn", harm)
    seen = replace(seen, awaited=_awaited(seen, now))
    if rollout.paused is not None:
        return seen, None
    if not seen.awaited:
        return _advanced(seen, now, _passed(seen), "")
    if now - rollout.since >= rollout.plan.deadline:
        return _ended(seen, "given up", f"the stage {seen.stage_name} was not over in time: {seen.awaited}")
    return seen, None


def advanced_by_hand(rollout: StagedRollout, now: float, who: str, why: str) -> Change:
    """The next stage, whatever the numbers say."""
    if rollout.outcome is not None or rollout.last:
        return rollout, None
    return _advanced(replace(rollout, paused=None), now, why or "by hand", who)


def aborted(rollout: StagedRollout, who: str, why: str) -> Change:
    """The canary gets no callers any more; one that has passed all stages can't be called back by this."""
    if rollout.outcome is not None or rollout.last:
        return rollout, None
    return _ended(rollout, "aborted", why or "by hand", who)


def paused(rollout: StagedRollout, now: float, who: str, why: str) -> Change:
    """It stays at its stage until it is resumed."""
    if rollout.outcome is not None or rollout.last or rollout.paused is not None:
        return rollout, None
    held = replace(rollout, paused=now)
    return held, Decision("paused", held.stage_name, why or "by hand", _numbers(held), who)


def resumed(rollout: StagedRollout, now: float, who: str, why: str) -> Change:
    """The rule goes on; the time of the pause does not count."""
    if rollout.outcome is not None or rollout.paused is None:
        return rollout, None
    going = replace(rollout, paused=None, since=rollout.since + max(0.0, now - rollout.paused))
    return going, Decision("resumed", going.stage_name, why or "by hand", _numbers(going), who)


def promoted(rollout: StagedRollout) -> Change:
    """The canary is live."""
    if rollout.outcome is not None:
        return rollout, None
    return _ended(rollout, "promoted", f"it passed {rollout.plan.words}")


def _sum(one: Pairs, other: Pairs) -> Pairs:
    names = dict.fromkeys((*one, *other))
    none = (0, 0)
    return {
        name: (
            one.get(name, none)[0] + other.get(name, none)[0],
            one.get(name, none)[1] + other.get(name, none)[1],
        )
        for name in names
    }


def _harm(rollout: StagedRollout) -> str:
    """Why the canary does harm; empty where nothing says so."""
    if rollout.share == SHADOW:
        return _harm_in_shadow(rollout.shadow, rollout.plan.max_changed)
    standing = rollout.standing
    if not standing.harmful:
        return ""
    rates = standing.rates.get(standing.leading)
    told = "" if rates is None else f", in this stage {rates.canary:.2%} against {rates.stable:.2%} of {rollout.stable}"
    return f"evidence of harm by {standing.leading}{told} (evidence {standing.evidence:,.0f}, needed {standing.needed:,.0f})"


def _harm_in_shadow(shadow: Shadow | None, limit: float | None) -> str:
    from nb2prod.evidence.canary import HARM
    from nb2prod.evidence.families import upper_bound

    if shadow is None or not shadow.asked:
        return ""
    asked = shadow.asked
    if 1 - upper_bound(asked - shadow.failing, asked) > HARM:
        return f"it left {shadow.failing:,} of {asked:,} logged rows without an answer that they had"
    if limit is not None and 1 - upper_bound(asked - shadow.differing, asked) > limit:
        return f"{shadow.sentence}; at most {limit:.2%} may be"
    return ""


def _awaited(rollout: StagedRollout, now: float) -> str:
    """What the stage waits for; empty where it is over."""
    if rollout.share == SHADOW:
        return _awaited_in_shadow(rollout.shadow, rollout.plan.max_changed)
    parts = []
    left = rollout.since + rollout.plan.hold - now
    standing = rollout.standing
    if not rollout.here.canary:
        parts.append("requests: the canary was asked none yet")
    elif standing.wanted is None:
        parts.append("that the stable release answers: what it does worse than that can't be seen")
    elif not standing.enough:
        parts.append(
            f"requests: the canary has answered {standing.requests:,}, and harm would be seen after {standing.wanted:,}"
        )
    if standing.failing:
        parts.append("that the canary answers: half of its requests or more get no answer")
    if left > 0:
        parts.append(f"the hold: {_span(left)} more")
    return "; ".join(parts)


def _awaited_in_shadow(shadow: Shadow | None, limit: float | None) -> str:
    from nb2prod.evidence.canary import HARM
    from nb2prod.evidence.families import upper_bound

    if shadow is None or not shadow.asked:
        return "logged requests that can be asked again"
    asked = shadow.asked
    unsure = upper_bound(shadow.failing, asked) > HARM or (
        limit is not None and upper_bound(shadow.differing, asked) > limit
    )
    return f"more logged requests: {asked:,} rows can't tell yet" if unsure else ""


def _passed(rollout: StagedRollout) -> str:
    standing = rollout.standing
    if rollout.share == SHADOW:
        return "" if rollout.shadow is None else rollout.shadow.sentence
    return (
        f"no harm in {standing.requests:,} requests, {standing.wanted:,} were needed to see it"
        f" (evidence {standing.evidence:.3g}, {standing.needed:,.0f} would withdraw it)"
    )


def _advanced(rollout: StagedRollout, now: float, why: str, who: str) -> Change:
    before = rollout.stage_name
    there = replace(rollout, stage=rollout.stage + 1, since=now, awaited="")
    return there, Decision("advanced", f"{before} to {there.stage_name}", why, _numbers(rollout), who)


def _ended(rollout: StagedRollout, outcome: Outcome, why: str, who: str = "") -> Change:
    ended = replace(rollout, outcome=outcome, reason=why, awaited="", paused=None)
    return ended, Decision(outcome, rollout.stage_name, why, _numbers(rollout), who)


def _numbers(rollout: StagedRollout) -> dict[str, Any]:
    """What a decision was made by."""
    return {"tally": rollout.here, "standing": rollout.standing, "shadow": rollout.shadow}


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
