"""When a model is trained again, and what becomes of the new one: the table `retrain` of `nb2prod.toml`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nb2prod.durations import parse_duration
from nb2prod.errors import InputError

Kind = Literal["drifted", "loss", "age", "new_labels"]
PROPOSE = "propose"
_KEYS = ("when", "cooldown", "max_attempts", "parameters", "margin", "metric", "then")
_BOUND = re.compile(r"(loss|age|new_labels)\s*(>=|>)\s*(\S.*)")
_EXAMPLE = '"drifted", "loss > 0.05", "age > 30d" or "new_labels >= 1000"'


@dataclass(frozen=True)
class Trigger:
    """A reason to train again: `text` as it was written; `bound` is a loss, seconds, or a count of labels."""

    text: str
    kind: Kind
    bound: float = 0.0

    def met(self, value: float) -> bool:
        """Whether this loss, age in seconds or count of labels is a reason."""
        return value >= self.bound if ">=" in self.text else value > self.bound


@dataclass(frozen=True)
class Terms:
    """What `retrain` says.

    An attempt is due where one of `when` is met, `cooldown` seconds after the last one ended, and not after `max_attempts` in a row that led to nothing. `parameters` go to the
    notebook's `parameters` cell; `{today}` in a text stands for the date. The new model may be worse than the live one in `metric` (the first of its task where it is None) by
    `margin` times the live one's value at most. `then` is `propose`, or the stages of a rollout.
    """

    when: tuple[Trigger, ...] = ()
    cooldown: float = 7 * 86_400.0
    max_attempts: int = 3
    parameters: Mapping[str, Any] = field(default_factory=dict)
    margin: float = 0.02
    metric: str | None = None
    then: str = PROPOSE

    def values(self, today: dt.date) -> dict[str, Any]:
        """The parameters of a run on this day."""
        return {
            name: value.replace("{today}", today.isoformat()) if isinstance(value, str) else value
            for name, value in self.parameters.items()
        }


def retrain_table(value: Any, where: str) -> dict[str, Any]:
    """The table as it is written; raises `InputError`, which begins with `where`, for what can't be in it."""
    terms(value, where)
    return dict(value)


def terms(value: Any, where: str = "retrain") -> Terms:
    """What the table says; raises `InputError`, which begins with `where`."""
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {value!r}", 'Expected a table as { when = ["drifted"], cooldown = "7d" }.')
    for key in value:
        if key not in _KEYS:
            raise InputError(f"{where}: unknown {key!r}", f"Known: {', '.join(_KEYS)}.")
    made = Terms()
    when = value.get("when", ())
    return Terms(
        tuple(_trigger(item, f"{where}: when") for item in ([when] if isinstance(when, str) else _list(when, where))),
        _seconds(value.get("cooldown", "7d"), f"{where}: cooldown"),
        _count(value.get("max_attempts", made.max_attempts), f"{where}: max_attempts"),
        _parameters(value.get("parameters", {}), f"{where}: parameters"),
        _margin(value.get("margin", made.margin), f"{where}: margin"),
        _text(value.get("metric"), f"{where}: metric"),
        _text(value.get("then"), f"{where}: then") or PROPOSE,
    )


def _trigger(text: Any, where: str) -> Trigger:
    if text == "drifted":
        return Trigger("drifted", "drifted")
    found = _BOUND.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise InputError(f"{where} has {text!r}", f"Expected {_EXAMPLE}.")
    kind: Kind = found[1]  # type: ignore[assignment]  # one of the expression's words
    if kind == "age":
        return Trigger(text, kind, parse_duration(found[3], where))
    try:
        return Trigger(text, kind, float(found[3]))
    except ValueError:
        raise InputError(f"{where} has {text!r}", f"Expected {_EXAMPLE}.") from None


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{where}: when is {value!r}", f"Expected a list of {_EXAMPLE}.")
    return list(value)


def _seconds(value: Any, where: str) -> float:
    if not isinstance(value, str):
        raise InputError(f"{where} is {value!r}", 'Expected a duration in quotes, as in "7d".')
    return parse_duration(value, where)


def _count(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"{where} is {value!r}", "Expected a whole number from 1 on.")
    return value


def _parameters(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{where} is {value!r}", 'Expected a table as { until = "{today}" }.')
    return {str(name): item for name, item in value.items()}


def _margin(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise InputError(f"{where} is {value!r}", "Expected a share from 0 up to 1, as in 0.02.")
    return float(value)


def _text(value: Any, where: str) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise InputError(f"{where} is {value!r}", "Expected a text in quotes.")
    return value
