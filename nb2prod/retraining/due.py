"""Whether a model is to be trained again: what is stated, what was found, and what forbids it for now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nb2prod.release import attempts
from nb2prod.release.attempts import FRUITLESS, Attempt
from nb2prod.triggers import Terms, Trigger
from nb2prod.watching import labelling, subject
from nb2prod.watching.look import Look
from nb2prod.watching.realised import Realised
from nb2prod.watching.subject import Subject

_DAY = 86_400.0
_BROKEN = ("missing", "errors")
"""Kinds of series that say of data, not of the world, that something is wrong with them."""


@dataclass(frozen=True)
class Reason:
    """What is stated, whether it is met, and what was found."""

    stated: str
    met: bool
    found: str


@dataclass(frozen=True)
class Due:
    """The reasons one by one; `waits` says why nothing is done for now though there may be one, and is empty where nothing forbids it."""

    reasons: tuple[Reason, ...]
    waits: str = ""

    @property
    def why(self) -> str:
        """The reasons that are met, in words; empty where none is."""
        return "; ".join(f"{item.stated} ({item.found})" for item in self.reasons if item.met)

    @property
    def now(self) -> bool:
        """Whether an attempt is to begin."""
        return bool(self.why) and not self.waits

    @property
    def sentence(self) -> str:
        """All of it in words."""
        if self.now:
            return f"due: {self.why}"
        told = (
            "; ".join(f"{item.stated}: {item.found}" for item in self.reasons) or "no reason is stated (retrain.when)"
        )
        return f"not due: {self.waits or told}"

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return {**asdict(self), "due": self.now, "sentence": self.sentence}


@dataclass(frozen=True)
class Seen:
    """A look at the live release, with what labels say where there are any."""

    subject: Subject
    look: Look
    labels: Realised | None

    @property
    def broken(self) -> tuple[str, ...]:
        """What watching calls broken and nobody has acknowledged: values that are missing, rows without an answer."""
        open_subjects = {item.subject for item in self.look.alarms if item.model == self.subject.model}
        found = (item for item in self.look.verdicts if item.kind in _BROKEN and item.state == "drifted")
        return tuple(item.name for item in found if item.name in open_subjects)


def see(who: Subject, tell: Callable[[str], None] = lambda _: None) -> Seen:
    """Read what is new in its log. Raises as `watching.look.look` does."""
    return Seen(who, *labelling.look_with_labels(who, subject.thresholds(who), tell))


def find(seen: Seen, terms: Terms, now: dt.datetime) -> Due:
    """Whether an attempt is due at this moment (UTC)."""
    reasons = tuple(_reason(item, seen, now) for item in terms.when)
    return Due(reasons, _waits(attempts.attempts(seen.subject.name), seen.subject.model, terms, now))


def _reason(item: Trigger, seen: Seen, now: dt.datetime) -> Reason:
    if item.kind == "drifted":
        names = [verdict.name for verdict in seen.look.verdicts if verdict.state == "drifted"]
        return Reason(item.text, bool(names), ", ".join(names) or f"watching says {seen.look.state}")
    if item.kind == "age":
        if seen.subject.release is None:
            return Reason(item.text, met=False, found="its release record is gone, so that its age is not known")
        age = (now - dt.datetime.fromisoformat(seen.subject.release.created)).total_seconds()
        return Reason(item.text, item.met(age), f"built {age / _DAY:.1f} days ago")
    if seen.labels is None or not seen.labels.labelled:
        return Reason(item.text, met=False, found="there are no labels yet")
    if item.kind == "new_labels":
        return Reason(item.text, item.met(seen.labels.labelled), f"{seen.labels.labelled:,} rows have a label")
    loss = seen.labels.loss
    if loss is None:
        return Reason(item.text, met=False, found="labels and predictions are of forms that have no loss")
    return Reason(item.text, item.met(loss), f"{seen.labels.loss_name} {loss:.3g} of {seen.labels.labelled:,} rows")


def _waits(before: Sequence[Attempt], champion: str, terms: Terms, now: dt.datetime) -> str:
    if not before:
        return ""
    last = before[-1]
    proposed = attempts.proposal(last.name)
    if proposed is not None:
        return f"{proposed.challenger} is proposed since {_minute(proposed.ended)} and waits for its owner"
    if last.ended is not None:
        free = dt.datetime.fromisoformat(last.ended) + dt.timedelta(seconds=terms.cooldown)
        if now < free:
            return f"the last attempt ended {_minute(last.ended)} UTC ({last.state}), and the cooldown lasts until {_minute(free.isoformat())} UTC"
    fruitless = 0
    for item in reversed(before):
        if item.champion != champion or item.state not in FRUITLESS:
            break
        fruitless += 1
        if item.by_hand:
            break  # somebody has looked at it since the others
    if fruitless >= terms.max_attempts:
        return f"{fruitless} attempts in a row led to nothing, the last because {last.detail}: somebody has to look; nb2prod retrain {last.name} tries once more"
    return ""


def _minute(moment: str | None) -> str:
    return (moment or "")[:16].replace("T", " ")
