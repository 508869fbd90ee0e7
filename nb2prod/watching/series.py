"""What is watched of a release: for each a few bins, with the counts that training had in them.

A `Series` is one question: the values of a field or of the prediction, how many are missing, how many are rare or were never seen, rows without an answer,
rows answered by the fallback's rules. Bins are few for the reference (`evidence.counts.bins_for`), so that the stated chance of a false alarm holds.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from nb2prod.evidence.counts import bins_for, rows_needed
from nb2prod.runtime.signature import Column, Signature

Kind = Literal["values", "missing", "rare", "errors", "fallbacks"]
MOST_BINS = 10
OTHERS = "others"
FIRST_ROWS = 500
"""Rows of the service's first days that stand for a reference where training has none: rows without an answer, and by rule."""


@dataclass(frozen=True)
class DayGroup:
    """Days of these weekdays (Monday is 0), with training's counts of such days; `wobble` and `days` as in `CountEvidence`."""

    weekdays: tuple[int, ...]
    reference: tuple[int, ...]
    wobble: float | None = None
    days: int = 1


@dataclass(frozen=True)
class Series:
    """One question about a release.

    `column` is the log's (`row.age`, `prediction`, `error`, ...); `at` the position in a vector. Values fall into bins by `edges` (inner edges: a value equal to
    an edge belongs above it) or by `categories` (each a tuple of values; the last bin holds all others where `others` is true); the yes-or-no questions have two bins,
    `labels[1]` is yes. `reference` has training's counts; None where the service's own first days stand for it. `wobble` and `days`: see `CountEvidence`. `groups` tell weekdays apart where training's differ.
    """

    name: str
    kind: Kind
    column: str
    labels: tuple[str, ...]
    reference: tuple[int, ...] | None
    at: int | None = None
    edges: tuple[float, ...] = ()
    categories: tuple[tuple[Any, ...], ...] = ()
    others: bool = False
    wobble: float | None = None
    days: int = 1
    groups: tuple[DayGroup, ...] = ()

    @property
    def key(self) -> str:
        """What tells it from all others of the release."""
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True)
class Unwatched:
    """A field that can't be watched, and why."""

    name: str
    reason: str


def series_of(
    signature: Signature, reference: Mapping[str, Any], excluded: Sequence[str] = ()
) -> tuple[tuple[Series, ...], tuple[Unwatched, ...]]:
    """What is watched of a release, and what is not, from `signature.json`, `reference.json` and the fields that its log leaves out."""
    found: list[Series] = []
    left: list[Unwatched] = []
    columns = reference.get("columns") or {}
    for column in signature.fields:
        if column.key in excluded:
            left.append(Unwatched(column.key, "the request log leaves it out (request_log_exclude)"))
            continue
        facts = columns.get(column.key)
        if not facts:
            left.append(Unwatched(column.key, "reference.json does not know it"))
            continue
        found += _of_missing(column, facts)
        _take(_of_values(column.key, f"row.{column.key}", facts, is_time=column.type == "datetime"), found, left)
        found += _of_rare(column, facts)
    _of_prediction(signature, reference.get("prediction"), found, left)
    found.append(Series("rows without an answer", "errors", "error", ("answered", "no answer"), None))
    found.append(Series("rows answered by rule", "fallbacks", "fallback", ("by the model", "by rule"), None))
    return tuple(found), tuple(left)


def _take(made: Series | Unwatched, found: list[Series], left: list[Unwatched]) -> None:
    if isinstance(made, Series):
        found.append(made)
    else:
        left.append(made)


def _of_values(
    name: str, column: str, facts: Mapping[str, Any], at: int | None = None, *, is_time: bool = False
) -> Series | Unwatched:
    count = int(facts.get("count") or 0)
    most = bins_for(count, MOST_BINS)
    if is_time or facts.get("type") == "datetime":
        return Unwatched(name, "it is a time: time goes on, so that it always differs from training's")
    if most < 2:
        return Unwatched(name, f"training has {count} values of it, and at least {rows_needed()} are needed")
    if facts.get("categories"):
        labels, values, counts, others = _grouped(facts, most)
        if len(counts) < 2 or sum(1 for n in counts if n) < 2:
            return Unwatched(name, "training has one value only, so that there is no distribution to compare")
        made = Series(name, "values", column, labels, counts, at, categories=values, others=others)
        known = len(facts["categories"])
        alone = len(values)
        return _with_days(made, facts, [min(place, alone) for place in range(known + 1)])
    histogram = facts.get("histogram") or {}
    edges, counts = _merged(histogram.get("edges") or (), histogram.get("counts") or (), most)
    if len(counts) < 2:
        return Unwatched(name, "training has nearly one value only, or none that can be counted")
    made = Series(name, "values", column, _ranges(edges), counts, at, edges=edges)
    places = [sum(edge <= lower for edge in edges) for lower in (-math.inf, *map(float, histogram["edges"]))]
    return _with_days(made, facts, places)


def _with_days(made: Series, facts: Mapping[str, Any], places: Sequence[int]) -> Series:
    """The series with what training's days were; `places` has the bin of the series for each bin of the facts."""
    told = facts.get("by_day") or {}
    groups = []
    for item in told.get("groups") or ():
        counts = [0] * len(made.labels)
        for place, count in zip(places, item["counts"], strict=True):
            counts[place] += int(count)
        groups.append(DayGroup(tuple(item["weekdays"]), tuple(counts), item["concentration"], int(item["days"])))
    return replace(made, wobble=told.get("concentration"), days=int(told.get("days") or 1), groups=tuple(groups))


def _grouped(
    facts: Mapping[str, Any], most: int
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...], tuple[int, ...], bool]:
    """The most frequent categories one by one, all others together."""
    told = [(item["value"], int(item["count"])) for item in facts["categories"]]
    rest = int((facts.get("other") or {}).get("count") or 0)
    alone = told if len(told) < most else told[: most - 1]
    rest += sum(count for _, count in told[len(alone) :])
    labels = (*(str(value) for value, _ in alone), OTHERS)
    return labels, tuple((value,) for value, _ in alone), (*(count for _, count in alone), rest), True


def _merged(edges: Sequence[Any], counts: Sequence[int], most: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Neighbouring bins put together until none is much thinner than an equal share of `most` bins."""
    total = sum(counts)
    kept: list[float] = []
    made: list[int] = [0]
    for at, count in enumerate(counts):
        left = sum(counts[at:])
        if made[-1] >= total / most * 0.999 and left >= total / most * 0.5 and len(made) < most:
            kept.append(float(edges[at - 1]))
            made.append(0)
        made[-1] += int(count)
    return tuple(kept), tuple(made)


def _ranges(edges: Sequence[float]) -> tuple[str, ...]:
    told = [f"{edge:.6g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in itertools.pairwise(told)]
    return (f"below {told[0]}", *between, f"{told[-1]} and more")


def _of_missing(column: Column, facts: Mapping[str, Any]) -> list[Series]:
    counts = (int(facts.get("count") or 0), int(facts.get("missing") or 0))
    if not column.nullable or sum(counts) < rows_needed():
        return []
    return [Series(f"{column.key}: missing", "missing", f"row.{column.key}", ("there", "missing"), counts)]


def _of_rare(column: Column, facts: Mapping[str, Any]) -> list[Series]:
    """Values that training never had, or so rarely that they are not told: of texts and categories only."""
    if column.type != "string" or not facts.get("categories") or int(facts.get("count") or 0) < rows_needed():
        return []
    known = tuple((item["value"],) for item in facts["categories"])
    rest = int((facts.get("other") or {}).get("count") or 0)
    if rest > 0.5 * int(facts["count"]):
        return []  # mostly unique texts: that another one is new says nothing
    counts = (int(facts["count"]) - rest, rest)
    name = f"{column.key}: rare or unseen"
    return [Series(name, "rare", f"row.{column.key}", ("known", "rare or unseen"), counts, categories=known)]


def _of_prediction(
    signature: Signature, facts: Mapping[str, Any] | None, found: list[Series], left: list[Unwatched]
) -> None:
    name = signature.prediction.name
    if not facts:
        left.append(Unwatched(name, "reference.json has no distribution of the predictions"))
        return
    if facts.get("type") != "vector":
        _take(_of_values(f"prediction {name}", "prediction", facts), found, left)
        return
    positions = facts.get("positions") or ()
    # Of two probabilities one says what the other does.
    wanted = range(1, 2) if len(positions) == 2 else range(len(positions))
    for at in wanted:
        _take(_of_values(f"prediction {name}[{at}]", "prediction", positions[at], at=at), found, left)


def is_number(value: Any) -> bool:
    """Whether this is a number that a bin can hold."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
