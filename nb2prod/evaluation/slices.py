"""Parts of the rows by one field each: its categories, its ranges, its missing values; and which of them are answered worse than the rest.

Many slices are looked at, so some are worse by chance: what is said to be worse is so after Holm's correction for all that were compared.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from nb2prod.evaluation.intervals import Metric, measured
from nb2prod.evaluation.measures import measures, row_loss
from nb2prod.evaluation.sample import Sample

SMALL = 30
"""Below so many rows a slice is said to be small, and neither compared nor named among the worst."""
CATEGORIES = 12
"""So many values of a field are slices of their own, the most frequent first; the others are one slice together."""
RANGES = 4
NAMED = 5
"""So many of the worst slices are named."""
SURE = 0.05
MISSING, OTHERS = "missing", "other values"


@dataclass(frozen=True)
class SliceRows:
    """A part of the rows: `label` says which values of the field they have, `rows` is a mask."""

    field: str
    label: str
    rows: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Slice:
    """What came of a slice. `loss` is its mean, `rest` that of all other rows; `p` the corrected chance that it only seems worse than these.

    `p` is None where the slice was not compared: it is small, or the task has no loss of a row.
    """

    field: str
    label: str
    rows: int
    small: bool
    metrics: tuple[Metric, ...]
    loss: float | None = None
    rest: float | None = None
    p: float | None = None

    @property
    def name(self) -> str:
        """As one reads it: `origin = JFK`, `age from 20 to 31`."""
        return f"{self.field} {self.label}"

    @property
    def worse(self) -> bool:
        """Whether it is worse than the rest, and that not by chance."""
        return self.p is not None and self.p < SURE and (self.loss or 0.0) > (self.rest or 0.0)

    def metric(self, name: str) -> Metric | None:
        """Its metric of this name."""
        return next((item for item in self.metrics if item.name == name), None)


def cut(rows: Sequence[Mapping[str, Any]]) -> tuple[SliceRows, ...]:
    """The slices of these request rows, field by field; a field in which every row has its own text gives none."""
    fields = list(rows[0]) if rows else []
    return tuple(part for field in fields for part in _of_field(field, [row.get(field) for row in rows]))


def measured_slices(sample: Sample, parts: Sequence[SliceRows]) -> tuple[Slice, ...]:
    """Each slice with its metrics, and whether it is worse than the rest."""
    found = [_measured(sample, part) for part in parts]
    known = [item for item in found if item is not None]
    compared = [at for at, (_, p) in enumerate(known) if p is not None]
    corrected = dict(zip(compared, _holm([known[at][1] or 0.0 for at in compared]), strict=True))
    return tuple(
        Slice(s.field, s.label, s.rows, s.small, s.metrics, s.loss, s.rest, corrected.get(at))
        for at, (s, _) in enumerate(known)
    )


def worst(slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """The slices that lose most beside the rest, of those that were compared: neither they nor the rest are small."""
    chances = [(s.p, -(s.loss or 0.0), s) for s in slices if s.p is not None and (s.loss or 0.0) > (s.rest or 0.0)]
    return tuple(s for _, _, s in sorted(chances, key=lambda item: item[:2])[:NAMED])


def _measured(sample: Sample, part: SliceRows) -> tuple[Slice, float | None] | None:
    mask = part.rows[sample.positions]
    count = int(mask.sum())
    if not count or count == len(sample):
        return None
    own = sample.take(mask)
    metrics = measured(own, measures(sample))
    small = count < SMALL
    loss = row_loss(sample)
    if loss is None:
        return Slice(part.field, part.label, count, small, metrics), None
    inside, outside = loss[1][mask], loss[1][~mask]
    made = Slice(part.field, part.label, count, small, metrics, float(inside.mean()), float(outside.mean()))
    return made, None if small or len(outside) < SMALL else _chance(inside, outside)


def _chance(inside: npt.NDArray[np.float64], outside: npt.NDArray[np.float64]) -> float:
    """The chance of a difference as large if there were none (Welch's test, one-sided); of right and wrong answers Fisher's exact test."""
    if set(np.unique(inside)) | set(np.unique(outside)) <= {0.0, 1.0}:
        table = [[int(part.sum()), int(len(part) - part.sum())] for part in (inside, outside)]
        return float(stats.fisher_exact(table, alternative="greater").pvalue)
    if np.ptp(inside) == 0 and np.ptp(outside) == 0:
        return 1.0 if inside[0] <= outside[0] else 0.0
    return float(stats.ttest_ind(inside, outside, equal_var=False, alternative="greater").pvalue)


def _holm(chances: Sequence[float]) -> list[float]:
    """Corrected for how many there are (Holm 1979): the chance that any of those said to be worse is so by chance stays below the level."""
    order = np.argsort(chances, kind="stable")
    found = [1.0] * len(chances)
    highest = 0.0
    for at, position in enumerate(order):
        highest = max(highest, min(1.0, (len(chances) - at) * chances[position]))
        found[position] = highest
    return found


def _of_field(field: str, values: list[Any]) -> Iterator[SliceRows]:
    known = np.asarray([value is not None for value in values])
    if not known.any():
        return
    if not known.all():
        yield SliceRows(field, MISSING, ~known)
    seen = [value for value in values if value is not None]
    counts = Counter(map(_written, seen))
    if (
        all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in seen)
        and len(counts) > CATEGORIES
    ):
        yield from _ranges(field, np.asarray([np.nan if v is None else float(v) for v in values]), _number)
    elif (moments := _moments(values)) is not None and len(counts) > CATEGORIES:
        yield from _ranges(field, moments, _moment)
    elif max(counts.values()) > 1 or len(counts) <= CATEGORIES:
        yield from _categories(field, values, counts)


def _categories(field: str, values: list[Any], counts: Counter[str]) -> Iterator[SliceRows]:
    texts = np.asarray([None if value is None else _written(value) for value in values], dtype=object)
    named = [text for text, _ in counts.most_common(CATEGORIES)]
    for text in named:
        yield SliceRows(field, f"= {text}", np.asarray(texts == text, dtype=bool))
    others = np.asarray([text is not None and text not in named for text in texts], dtype=bool)
    if others.any():
        yield SliceRows(field, OTHERS, others)


def _ranges(field: str, values: npt.NDArray[np.float64], write: Any) -> Iterator[SliceRows]:
    known = values[~np.isnan(values)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, RANGES + 1), method="lower"))
    for at, (low, high) in enumerate(itertools.pairwise(edges)):
        last = at == len(edges) - 2
        with np.errstate(invalid="ignore"):
            inside = (values >= low) & ((values <= high) if last else (values < high))
        top = f"to {write(high)}" if last else f"to below {write(high)}"
        yield SliceRows(field, f"from {write(low)} {top}", inside)


def _moments(values: Sequence[Any]) -> npt.NDArray[np.float64] | None:
    """Date-times as seconds; None where the values are anything else."""
    found = []
    for value in values:
        if value is None:
            found.append(np.nan)
            continue
        try:
            moment = dt.datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return None
        found.append((moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp())
    return np.asarray(found)


def _written(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: float) -> str:
    return f"{value:.6g}"


def _moment(value: float) -> str:
    moment = dt.datetime.fromtimestamp(value, dt.UTC)
    return (
        moment.date().isoformat()
        if moment.time() == dt.time()
        else moment.replace(tzinfo=None).isoformat(" ", "minutes")
    )
