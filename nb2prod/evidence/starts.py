"""A change may begin on any day: evidence for each possible beginning, mixed with weights that sum to one.

The beginning on day j (1, 2, ...) has the weight 1/(j (j + 1)); what belongs to days that did not come yet waits with the value 1. A beginning whose
evidence has fallen so low that later days could hardly bring it back is stopped: its value is kept as it is, which a stopped e-process may. So the
number of beginnings at work does not grow with the days.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

HOPELESS = -5.0
"""Logarithm of a beginning's evidence below which it is stopped."""
MOST = 60
"""Beginnings at work at most; the one with the least evidence is stopped for a new one."""


class Starts:
    """The beginnings of one question.

    `totals` has what was seen since each beginning at work, (beginnings, width); `values` the logarithms of its evidence under each of `variants`
    alternatives, (beginnings, variants).
    """

    def __init__(self, width: int, variants: int) -> None:
        self.day = 0
        self.totals: Floats = np.zeros((0, width))
        self.values: Floats = np.zeros((0, variants))
        self._weights: Floats = np.zeros(0)
        self._days: npt.NDArray[np.int64] = np.zeros(0, dtype="int64")
        self._stopped = -np.inf
        """Logarithm of what stopped beginnings are worth, weights included."""

    def open(self) -> None:
        """Another day begins, and with it another beginning."""
        self.day += 1
        self._stop(self.values.max(axis=1, initial=-np.inf) < HOPELESS)
        if len(self._days) >= MOST:
            worst = np.zeros(len(self._days), dtype=bool)
            worst[int(np.argmin(self._worth()))] = True
            self._stop(worst)
        self.totals = np.vstack([self.totals, np.zeros((1, self.totals.shape[1]))])
        self.values = np.vstack([self.values, np.zeros((1, self.values.shape[1]))])
        self._weights = np.append(self._weights, -np.log(self.day * (self.day + 1.0)))
        self._days = np.append(self._days, self.day)

    def learn(self, gains: Floats, seen: Floats) -> None:
        """The day's logarithms of evidence for each beginning and alternative, and what was seen, (width,)."""
        self.values = self.values + gains
        self.totals = self.totals + seen

    @property
    def evidence(self) -> float:
        """Logarithm of the mixed evidence."""
        rest = -np.log(self.day + 1.0)
        return float(np.logaddexp(np.logaddexp(rest, self._stopped), np.logaddexp.reduce(self._worth())))

    @property
    def likeliest(self) -> int:
        """The day, counted from 1, that the evidence speaks most for as the beginning; 0 before the first."""
        return int(self._days[int(np.argmax(self._worth()))]) if len(self._days) else 0

    def _worth(self) -> Floats:
        variants = self.values.shape[1]
        return np.asarray(self._weights + np.logaddexp.reduce(self.values, axis=1) - np.log(variants))

    def _stop(self, which: npt.NDArray[np.bool_]) -> None:
        if not which.any():
            return
        self._stopped = float(np.logaddexp(self._stopped, np.logaddexp.reduce(self._worth()[which])))
        self.totals, self.values = self.totals[~which], self.values[~which]
        self._weights, self._days = self._weights[~which], self._days[~which]


class FixedStarts:
    """Evidence whose daily gains do not depend on when the change began: a known share, a stated mean.

    `gains` of a day's data gives the logarithms of evidence under each of `variants` alternatives, (variants,).
    """

    def __init__(self, variants: int, gains: Callable[[Floats], Floats]) -> None:
        self._starts = Starts(1, variants)
        self._gains = gains

    def add(self, data: Floats) -> float:
        """A day's data; returns the logarithm of the evidence after it."""
        self._starts.open()
        self._starts.learn(self._gains(data)[None, :], np.zeros(1))
        return self.evidence

    @property
    def evidence(self) -> float:
        """Logarithm of the evidence."""
        return self._starts.evidence

    @property
    def likeliest(self) -> int:
        """The call of `add`, counted from 1, with which the change most likely began."""
        return self._starts.likeliest
