"""Many questions at once, and shares of rows that never differed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

_LARGEST = 700.0
"""Beyond this logarithm the number itself is no float any more."""


def as_number(evidence: float) -> float:
    """Evidence as a number, from its logarithm; 1 is none."""
    return math.exp(min(evidence, _LARGEST))


def rejected(evidence: Sequence[float], alpha: float) -> list[bool]:
    """Which nulls e-BH rejects, from the logarithms of their evidence, in their order.

    The k largest, for the largest k of which each is at least m/(alpha k). Rejecting any asks for a mean evidence of 1/alpha over all m: so with e-processes
    the chance that anything is ever rejected while all nulls hold is at most alpha, whatever their dependence. Wang and Ramdas, "False discovery rate
    control with e-values" (2022).
    """
    m = len(evidence)
    order = np.argsort(np.asarray(evidence, dtype="float64"))[::-1]
    most = 0
    for k, at in enumerate(order, start=1):
        if evidence[at] >= math.log(m / (alpha * k)):
            most = k
    found = [False] * m
    for at in order[:most]:
        found[int(at)] = True
    return found


def needed(m: int, alpha: float) -> float:
    """The logarithm of evidence with which one of m questions alone is rejected."""
    return math.log(max(m, 1) / alpha)


def upper_bound(differing: int, rows: int, level: float = 0.95) -> float:
    """The largest share of differing rows that `differing` of `rows` drawn at random leave possible at this level (Clopper and Pearson, one-sided)."""
    if rows == 0 or differing >= rows:
        return 1.0
    return float(stats.beta.ppf(level, differing + 1, rows - differing))
