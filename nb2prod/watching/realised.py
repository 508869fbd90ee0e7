"""How well a release predicts in production: its answers beside what turned out to be true, by day, against the notebook's own metrics.

The loss of a row is what slices are compared by (`evaluation.measures.row_loss`): wrong or right, the Brier score of a probability, the absolute error of a number.
Its mean has an interval that holds however often one looks, and an alarm asks for evidence that it is above the notebook's by more than `rise`.

Where labels are not there yet, the loss is estimated: the notebook's own held-out rows had some mean loss in each range of predictions, and the days' predictions
fall into these ranges in other shares. That assumes that within a range the truth is as it was in training. How right the estimate was is said once labels come.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nb2prod.errors import InputError
from nb2prod.evaluation import outcomes as outcomes_of
from nb2prod.evaluation.intervals import Metric, measured
from nb2prod.evaluation.measures import measures, row_loss
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.evaluation.sample import Sample, samples
from nb2prod.evidence.families import as_number, upper_bound
from nb2prod.evidence.means import MeanEvidence, MeanSequence
from nb2prod.release import alarms
from nb2prod.release.record import OUTCOMES
from nb2prod.watching.binning import bin_of
from nb2prod.watching.label_store import Labelled
from nb2prod.watching.series import Series
from nb2prod.watching.subject import Subject
from nb2prod.watching.verdict import Thresholds
from nb2prod.watching.words import counted

Floats = npt.NDArray[np.float64]
SUBJECT = "loss"
ASSUMPTION = "assumes that among rows with like predictions the truth is as it was in training"
_CAP = 10.0
"""An absolute error counts as this many times the notebook's mean error at most: the tests are for bounded losses."""
_FEW = 5


@dataclass(frozen=True)
class Day:
    """One day's labelled rows: the mean loss, and what was estimated without labels (None: not known)."""

    day: str
    rows: int
    loss: float | None
    estimate: float | None


@dataclass(frozen=True)
class Realised:
    """What is known of a release's answers.

    `labelled` of `rows` logged rows have a label; `unknown` labels belong to no row of the log, `corrected` rows had another label before. `loss` is named by
    `loss_name`, its interval (95 %, at all times together) is of the weighted mean so far; `notebook_loss` is the held-out rows' own.
    """

    rows: int
    labelled: int
    unknown: int
    corrected: int
    state: str
    loss_name: str
    loss: float | None
    low: float | None
    high: float | None
    notebook_loss: float | None
    evidence: float
    since: str | None
    metrics: tuple[Metric, ...]
    days: tuple[Day, ...]
    estimate_error: float | None
    """Mean distance of the estimated from the realised loss, over days with both."""
    promise: str
    notes: tuple[str, ...] = ()

    @property
    def coverage(self) -> float:
        """The share of logged rows that have a label."""
        return self.labelled / self.rows if self.rows else 0.0

    def to_json(self) -> dict[str, Any]:
        """As a document."""
        return {**asdict(self), "coverage": self.coverage, "assumption": ASSUMPTION}


@dataclass(frozen=True)
class _Losses:
    """Losses of rows with the scale that puts them between 0 and 1."""

    name: str
    values: Floats
    positions: npt.NDArray[np.int64]
    sample: Sample
    scale: float

    @property
    def bounded(self) -> Floats:
        return np.clip(self.values / self.scale, 0.0, 1.0)


@dataclass(frozen=True)
class Labels:
    """What is known for a judgement: labelled rows, counts (as `LabelStore.counts`), rows in the log, the prediction's name and its series with its days."""

    labelled: Sequence[Labelled]
    counts: tuple[int, int, int]
    rows: int
    name: str
    predictions: tuple[Series, Mapping[dt.date, Floats]] | None = None


def realised(subject: Subject, thresholds: Thresholds, labels: Labels) -> Realised:
    """The labelled rows beside what was answered. Raises an alarm, or ends one, where there is a notebook's loss to hold it against."""
    notes: list[str] = []
    held_out = _outcomes(subject, notes)
    base = None if held_out is None else _losses(held_out, labels.name, None)
    known = _known_labels(labels.labelled, held_out, notes)
    mine = _losses(_as_outcomes(known, held_out), labels.name, base) if known else None
    if known and mine is None:
        notes.append("labels and predictions are of forms that no usual metric compares")
    days = _days(known, mine, _estimates(base, held_out, labels.predictions))
    rise = _rise(base, mine, known, thresholds)
    both = [abs(item.loss - item.estimate) for item in days if item.loss is not None and item.estimate is not None]
    either = mine or base
    made = Realised(
        labels.rows,
        len(known),
        labels.counts[2],
        labels.counts[1],
        rise.state,
        "" if either is None else either.name,
        None if mine is None else float(mine.values.mean()),
        rise.low,
        rise.high,
        None if base is None else float(base.values.mean()),
        as_number(rise.evidence),
        rise.since if rise.state == "worse" else None,
        measured(mine.sample, measures(mine.sample)) if mine is not None else (),
        tuple(days),
        float(np.mean(both)) if both else None,
        f"chance of a false alarm over this release's life: {100 * thresholds.alpha:.3g} %; a rise of {thresholds.rise:g} or less raises none",
        tuple(notes),
    )
    _settle(subject, made)
    return made


def _settle(subject: Subject, made: Realised) -> None:
    if made.state == "worse":
        text = (
            f"the {made.loss_name} is {made.loss:.3g} where the notebook's was {made.notebook_loss:.3g},"
            f" and has risen since {made.since}"
        )
        alarms.raise_once(subject.name, subject.model, SUBJECT, text)
    elif made.state == "quiet":
        alarms.end(subject.name, subject.model, SUBJECT)


def _outcomes(subject: Subject, notes: list[str]) -> Outcomes | None:
    """The notebook's held-out rows; None, with a note, where there are none to hold anything against."""
    if subject.release is None:
        notes.append("there is no notebook's loss to hold it against: the release record is gone")
        return None
    try:
        made = outcomes_of.from_json(json.loads(subject.release.path(OUTCOMES).read_text(encoding="utf-8")))
    except (InputError, OSError, ValueError, TypeError) as error:
        notes.append(f"there is no notebook's loss to hold it against: {error}")
        return None
    if not made.predictions:
        notes.append(f"there is no notebook's loss to hold it against: {made.reason or 'nothing was evaluated'}")
        return None
    if made.kind != "held out":
        notes.append(
            "the notebook evaluated rows that its model had learned from: its loss is too small to hold it against"
        )
        return None
    # The log has what was answered, not what the model could have been asked for besides.
    return replace(made, scores=None)


def _known_labels(labelled: Sequence[Labelled], held_out: Outcomes | None, notes: list[str]) -> list[Labelled]:
    """Labels in the type of training's; those that can't be are told and left out."""
    if held_out is None or not labelled:
        return list(labelled)
    kind = type(next((value for value in held_out.truth if value is not None), None))
    found = []
    for item in labelled:
        value = _typed(item.truth, kind)
        if value is not None:
            found.append(replace(item, truth=value))
    if len(found) < len(labelled):
        left = counted(len(labelled) - len(found), "label")
        notes.append(f"left out: {left} of another type than training's")
    return found


def _typed(value: Any, kind: type) -> Any:
    if kind is bool:
        return {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}.get(str(value).lower())
    if kind in (int, float):
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
        if not math.isfinite(number):
            return None
        return int(number) if kind is int and number.is_integer() else number
    if kind is str:
        return str(value)
    return value


def _as_outcomes(known: Sequence[Labelled], held_out: Outcomes | None) -> Outcomes:
    made = Outcomes(predictions=tuple(item.prediction for item in known), truth=tuple(item.truth for item in known))
    return made if held_out is None else replace(made, classes=held_out.classes, estimator=held_out.estimator)


def _losses(outcomes: Outcomes, name: str, base: _Losses | None) -> _Losses | None:
    found = samples(outcomes, name).outputs
    if len(found) != 1:
        return None
    loss = row_loss(found[0])
    if loss is None or (base is not None and loss[0] != base.name):
        return None
    values = np.asarray(loss[1], dtype="float64")
    scale = 1.0
    if loss[0] == "absolute error":
        scale = base.scale if base is not None else _CAP * max(float(values.mean()), 1e-12)
    elif found[0].task == "multiclass" and loss[0] == "Brier score":
        scale = 2.0
    return _Losses(loss[0], values, found[0].positions, found[0], scale)


@dataclass(frozen=True)
class _Rise:
    """Whether the loss has risen: the logarithm of the evidence, since when, and the interval of the loss."""

    state: str
    evidence: float = 0.0
    since: str | None = None
    low: float | None = None
    high: float | None = None


def _rise(base: _Losses | None, mine: _Losses | None, known: Sequence[Labelled], thresholds: Thresholds) -> _Rise:
    if mine is None:
        return _Rise("waiting")
    days = np.array([known[int(at)].day.toordinal() for at in mine.positions])
    sequence = MeanSequence()
    evidence = None if base is None else MeanEvidence(_stated(base, thresholds))
    seen = np.unique(days)
    for day in seen:
        values = mine.bounded[days == day]
        sequence.add(values)
        if evidence is not None:
            evidence.add(values)
    low, high = (end * mine.scale for end in sequence.interval)
    if evidence is None:
        return _Rise("unjudged", low=low, high=high)
    # The notebook's loss is allowed half of alpha for what its finite rows leave open.
    state = "worse" if evidence.evidence >= math.log(2 / thresholds.alpha) else "quiet"
    since = dt.date.fromordinal(int(seen[evidence.likeliest - 1])).isoformat()
    return _Rise(state, evidence.evidence, since, low, high)


def _stated(base: _Losses, thresholds: Thresholds) -> float:
    """The bounded loss that must be exceeded: the notebook's, as large as its finite rows allow with half of alpha, and the rise.

    A rise is one of the share or the score itself; of an absolute error it is relative to the notebook's.
    """
    wrong = int(base.bounded.sum())
    if set(np.unique(base.bounded)) <= {0.0, 1.0}:
        upper = upper_bound(wrong, len(base.bounded), 1 - thresholds.alpha / 2)
    else:
        _, upper = MeanSequence(thresholds.alpha).add(base.bounded)
    mean = float(base.bounded.mean())
    rise = thresholds.rise * (mean if base.name == "absolute error" else 1.0)
    return float(np.clip(upper + rise, 1e-6, 1 - 1e-6))


def _estimates(
    base: _Losses | None, held_out: Outcomes | None, predictions: tuple[Series, Mapping[dt.date, Floats]] | None
) -> dict[dt.date, float]:
    """The loss of each day from its predictions alone; empty where it can't be estimated."""
    if base is None or held_out is None or predictions is None:
        return {}
    series, by_day = predictions
    bins = np.array([bin_of(held_out.predictions[int(at)], series) for at in base.positions])
    overall = float(base.values.mean())
    means = np.array(
        [
            float(base.values[bins == at].mean()) if (bins == at).sum() >= _FEW else overall
            for at in range(len(series.labels))
        ]
    )
    return {day: float(counts @ means / counts.sum()) for day, counts in by_day.items() if counts.sum()}


def _days(known: Sequence[Labelled], mine: _Losses | None, estimates: Mapping[dt.date, float]) -> list[Day]:
    by_day: dict[dt.date, list[float]] = {}
    if mine is not None:
        for at, loss in zip(mine.positions, mine.values, strict=True):
            by_day.setdefault(known[int(at)].day, []).append(float(loss))
    return [
        Day(
            day.isoformat(),
            len(by_day.get(day, ())),
            float(np.mean(by_day[day])) if day in by_day else None,
            estimates.get(day),
        )
        for day in sorted({*by_day, *estimates})
    ]
