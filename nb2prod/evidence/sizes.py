"""How far two sets of counts are apart: total variation, with an interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_HALVINGS = 40
_SEED = 0
_NORMAL = 1.959964
"""Both ends hold with 95 %."""


@dataclass(frozen=True)
class Size:
    """Total variation: the share of rows that would have to be other ones for the shares to be the same; from 0 to 1."""

    value: float
    low: float
    high: float


def total_variation(reference: Floats, current: Floats) -> Size:
    """The total variation between the shares behind two sets of counts, (k,) each, with an interval of 95 %.

    What is plainly computed from samples is too large: even equal shares differ in samples. So the categories that have become more frequent are
    chosen on one half of both samples and counted on the other (any choice gives at most the total variation), over many seeded halvings. The upper
    end starts from the plain value.
    """
    one, other = np.asarray(reference, dtype="int64"), np.asarray(current, dtype="int64")
    if one.sum() < 2 or other.sum() < 2:
        return Size(0.0, 0.0, 1.0)
    plain = float(0.5 * np.abs(one / one.sum() - other / other.sum()).sum())
    rng = np.random.default_rng(_SEED)
    found = [_crosswise(one, other, rng) for _ in range(_HALVINGS)]
    held_out = float(np.mean(found))
    more = other / other.sum() > one / one.sum()
    error = float(np.sqrt(_variance(one, more) + _variance(other, more)))
    low, high = max(0.0, held_out - _NORMAL * error), min(1.0, plain + _NORMAL * error)
    return Size(float(np.clip(held_out, low, high)), low, high)


def _crosswise(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64], rng: np.random.Generator) -> float:
    halves = [(rng.multivariate_hypergeometric(counts, int(counts.sum()) // 2), counts) for counts in (one, other)]
    (first, whole), (second, entire) = halves
    parts = [(first, second), (whole - first, entire - second)]
    shares = [(a / a.sum(), b / b.sum()) for a, b in parts]
    sides = [b > a for a, b in shares]
    gains = [(shares[1][1] - shares[1][0])[sides[0]].sum(), (shares[0][1] - shares[0][0])[sides[1]].sum()]
    return float(np.mean(gains))


def _variance(counts: npt.NDArray[np.int64], which: npt.NDArray[np.bool_]) -> float:
    rows = counts.sum()
    share = (counts[which].sum() + 1) / (rows + 2)  # a share of 0 or 1 in a sample is not known without error
    return float(share * (1 - share) / rows)
