"""Have the counts of each day the shares of a finite reference?

The null is that reference and days come from the same shares, which are not known: a day's counts are Dirichlet-multinomial around what the reference
and the days before it showed, as sure as these are many. That the reference is finite is part of the null; tests that take its shares for the truth
raise alarms without end. Where the reference's own days differ by more than chance (a weekday, a season), `wobble` says how much, and days may differ by
as much under both hypotheses.

The alternatives are Dirichlet-multinomial as well: from some day on the shares are others, near the reference's or far from them (`NEARNESS`), and are
learned from the days since then. Both predict a day before it is looked at, so their ratio is an e-process for the null averaged over the reference's
uncertainty. That holds while the bins are few for the reference: `bins_for`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from nb2prod.evidence.starts import Starts

Floats = npt.NDArray[np.float64]

NEARNESS = (20.0, 200.0, 2000.0)
"""Concentrations of the alternatives around the reference's shares: of ten equal shares they differ by about .25, .08 and .03 of total variation."""
_PRIOR = 0.5
_ROWS_A_BIN = 20
MOST_BINS = 20


def bins_for(rows: int, most: int = MOST_BINS) -> int:
    """How many bins a reference of so many rows carries: one for each 20 rows, at most `most`; below 2 there is nothing to compare."""
    return min(most, rows // _ROWS_A_BIN)


def rows_needed(bins: int = 2) -> int:
    """How many rows a reference needs for so many bins."""
    return bins * _ROWS_A_BIN


class CountEvidence:
    """Evidence, day by day, that counts by category no longer have the reference's shares.

    Args:
        reference: counts of the reference, (k,), k at most `bins_for` of their sum.
        wobble: concentration of the Dirichlet that draws each day's shares; None where days differ by chance alone.
        days: how many days the reference's rows come from, where `wobble` is given.
    """

    def __init__(self, reference: Floats, *, wobble: float | None = None, days: int = 1) -> None:
        known = np.asarray(reference, dtype="float64")
        self._wobble = np.inf if wobble is None else wobble
        if wobble is not None and known.sum():
            known = known * self._worth(known.sum() / days)
        self._known = known + _PRIOR
        self._centre = self._known / self._known.sum()
        self._starts = Starts(len(known), len(NEARNESS))

    def add(self, counts: Floats) -> float:
        """The counts of another day, (k,); returns the logarithm of the evidence after it. A day without rows changes nothing."""
        seen = np.asarray(counts, dtype="float64")
        rows = seen.sum()
        if not rows:
            return self.evidence
        self._starts.open()
        near = np.asarray(NEARNESS)[None, :, None] * self._centre + self._starts.totals[:, None, :]
        expected = _predicted(seen, self._rounded(self._known))
        self._starts.learn(_predicted(seen, self._rounded(near)) - expected, seen * self._worth(rows))
        self._known = self._known + seen * self._worth(rows)
        return self.evidence

    @property
    def evidence(self) -> float:
        """Logarithm of the evidence."""
        return self._starts.evidence

    @property
    def likeliest(self) -> int:
        """The day with rows, counted from 1, with which the change most likely began; 0 before the first."""
        return self._starts.likeliest

    def _rounded(self, known: Floats) -> Floats:
        """Parameters for one day: what is known of the shares, and how much a day may differ from them."""
        if np.isinf(self._wobble):
            return known
        total = known.sum(axis=-1, keepdims=True)
        return np.asarray(known / total / (1 / total + 1 / self._wobble))

    def _worth(self, rows: float) -> float:
        """What a row is worth of a day with so many: rows of a day tell less than rows of many days do."""
        return 1.0 if np.isinf(self._wobble) else 1 / (1 + (rows - 1) / (self._wobble + 1))


def _predicted(counts: Floats, parameters: Floats) -> Floats:
    """Logarithm of the Dirichlet-multinomial probability, without the coefficient that all alternatives share: (...,) of (..., k)."""
    there = counts > 0
    parts = gammaln(parameters[..., there] + counts[there]) - gammaln(parameters[..., there])
    total = parameters.sum(axis=-1)
    return np.asarray(gammaln(total) - gammaln(total + counts.sum()) + parts.sum(axis=-1))
