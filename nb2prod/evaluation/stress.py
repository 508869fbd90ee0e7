"""What altered requests do to answers: how many have none, how many are others and by how much, and which rows suffer most."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nb2prod.evaluation.measures import row_loss
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.evaluation.sample import samples
from nb2prod.evaluation.slices import SMALL, SliceRows
from nb2prod.runtime.equality import Tolerance, difference

SCHEMA = 1
FILE = "stress.json"
Kind = Literal["missing", "unseen", "typing error", "lower", "higher"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """What came of `rows` requests that were altered in one field.

    `refused` rows the contract takes no such value for; `unanswered` ones were taken and had no answer. Of the answered ones the share `changed` is another answer, by `typical`
    and `large` (median and 95th percentile of the change of numbers, in standard deviations of the predictions). `loss` is the mean loss of the altered rows, `loss_before` that of the
    same rows as they were, both of those whose true value is known. `worst` names the part of the rows that suffers most, by `worst_by`.
    """

    kind: Kind
    field: str
    rows: int
    refused: int
    unanswered: int
    changed: float
    typical: float | None = None
    large: float | None = None
    loss_before: float | None = None
    loss: float | None = None
    worst: str = ""
    worst_by: float | None = None

    @property
    def answered(self) -> int:
        """Rows that have an answer."""
        return self.rows - self.refused - self.unanswered


@dataclass(frozen=True)
class Ageing:
    """The metric of the newest tenth of the held-out rows by the field `time`, beside that of the others; `reason` says why there is none."""

    time: str = ""
    metric: str = ""
    rows: int = 0
    newest: float | None = None
    low: float | None = None
    high: float | None = None
    others: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Load:
    """Latency of requests of one row with so many callers at a time, in milliseconds; `failed` of them had no answer or another status than 200."""

    callers: int
    requests: int
    p50_ms: float
    p99_ms: float
    failed: int = 0


@dataclass(frozen=True)
class StressReport:
    """All of it for a release. `loss_name` is the loss of a row; `budget_ms` the service's latency budget."""

    release: str
    created: str
    """ISO 8601, UTC."""
    rows: int
    loss_name: str
    effects: tuple[Effect, ...]
    ageing: Ageing
    load: tuple[Load, ...]
    budget_ms: float

    @property
    def unanswered(self) -> float:
        """The largest share of altered rows that were taken and had no answer."""
        return max((item.unanswered / item.rows for item in self.effects if item.rows), default=0.0)

    def to_json(self) -> dict[str, Any]:
        """The document of stress.json."""
        return {"schema": SCHEMA, **asdict(self), "unanswered": self.unanswered}


def from_json(document: Mapping[str, Any]) -> StressReport:
    """The report of this document. Raises `ValueError`, `KeyError` or `TypeError` for another form."""
    if document["schema"] > SCHEMA:
        raise ValueError(f"a report of schema {document['schema']}; this nb2prod reads {SCHEMA}")
    known = {key: value for key, value in document.items() if key not in ("schema", "unanswered")}
    known["effects"] = tuple(Effect(**item) for item in known["effects"])
    known["load"] = tuple(Load(**item) for item in known["load"])
    return StressReport(**{**known, "ageing": Ageing(**known["ageing"])})


@dataclass(frozen=True)
class Answered:
    """What became of a row: its `value`, or that it was refused by the contract, or had no answer."""

    value: Any = None
    refused: bool = False
    failed: bool = False

    @property
    def is_value(self) -> bool:
        """Whether there is an answer."""
        return not self.refused and not self.failed


@dataclass(frozen=True)
class Baseline:
    """The rows as they are: their answers, what is true of them (None where that is not known), their parts, and how closely answers are compared."""

    answers: tuple[Answered, ...]
    truth: Outcomes | None
    parts: tuple[SliceRows, ...]
    tolerance: Tolerance
    output: str
    classes: bool = False
    """Whether the answers are classes, of which a difference has no size."""

    @property
    def scale(self) -> float:
        """The standard deviation of the predictions, 1 where they are no numbers or all the same."""
        numbers = [found for item in self.answers for found in _numbers(item.value)]
        spread = float(np.std(numbers)) if numbers else 0.0
        return spread if spread > 0 and math.isfinite(spread) else 1.0


def effect(kind: Kind, field: str, chosen: Sequence[int], answers: Sequence[Answered], base: Baseline) -> Effect:
    """What altering this field did to the rows at the positions `chosen`, which gave `answers`."""
    before = [base.answers[at] for at in chosen]
    both = [at for at, (old, new) in enumerate(zip(before, answers, strict=True)) if old.is_value and new.is_value]
    differ = [
        difference(before[at].value, answers[at].value, base.tolerance, output=base.output) is not None for at in both
    ]
    sizes = np.asarray([_size(before[at].value, answers[at].value) for at in both], dtype="float64") / base.scale
    known = sizes[np.isfinite(sizes) & (not base.classes)]
    losses = _losses(chosen, answers, base)
    suffering = np.full(len(base.answers), np.nan)
    told = losses[1] - losses[0] if losses is not None else sizes
    places = [chosen[at] for at in both]
    if len(told) == len(places):
        suffering[places] = told
    worst = _worst(suffering, base.parts)
    return Effect(
        kind,
        field,
        len(answers),
        sum(item.refused for item in answers),
        sum(item.failed for item in answers),
        float(np.mean(differ)) if differ else 0.0,
        float(np.median(known)) if len(known) else None,
        float(np.quantile(known, 0.95)) if len(known) else None,
        None if losses is None else float(losses[0].mean()),
        None if losses is None else float(losses[1].mean()),
        *worst,
    )


def loss_name(base: Baseline) -> str:
    """What the loss of a row is called; empty where there is none."""
    found = None if base.truth is None else _row_losses(base.truth, [item.value for item in base.answers])
    return "" if found is None else found[0]


def _losses(chosen: Sequence[int], answers: Sequence[Answered], base: Baseline) -> tuple[Floats, Floats] | None:
    """The losses of the rows with both answers, before and after; None where not all of them have a known truth."""
    if base.truth is None:
        return None
    both = [
        (at, new.value) for at, new in zip(chosen, answers, strict=True) if new.is_value and base.answers[at].is_value
    ]
    part = _taken(base.truth, [at for at, _ in both])
    found = [_row_losses(part, values) for values in ([base.answers[at].value for at, _ in both], [v for _, v in both])]
    if found[0] is None or found[1] is None or len(found[0][1]) != len(both) or len(found[1][1]) != len(both):
        return None
    return found[0][1], found[1][1]


def _row_losses(truth: Outcomes, values: Sequence[Any]) -> tuple[str, Floats] | None:
    if not len(truth.truth):
        return None
    outputs = samples(replace(truth, predictions=tuple(values)), "prediction").outputs
    return row_loss(outputs[0]) if len(outputs) == 1 else None


def _taken(known: Outcomes, kept: Sequence[int]) -> Outcomes:
    return replace(
        known, predictions=tuple(known.predictions[at] for at in kept), truth=tuple(known.truth[at] for at in kept)
    )


def _worst(suffering: Floats, parts: Sequence[SliceRows]) -> tuple[str, float | None]:
    """The part of the rows whose mean is largest, of those that are not small."""
    found: list[tuple[float, str]] = []
    for part in parts:
        inside = suffering[part.rows]
        inside = inside[~np.isnan(inside)]
        if len(inside) >= SMALL:
            found.append((float(inside.mean()), f"{part.field} {part.label}"))
    by, name = max(found, default=(0.0, ""))
    return (name, by) if by > 0 else ("", None)


def _numbers(value: Any) -> list[float]:
    members = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return [float(item) for item in members if isinstance(item, (int, float)) and not isinstance(item, bool)]


def _size(old: Any, new: Any) -> float:
    """The largest change of any number in an answer; nan where it has none."""
    one, other = _numbers(old), _numbers(new)
    if not one or len(one) != len(other):
        return math.nan
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
