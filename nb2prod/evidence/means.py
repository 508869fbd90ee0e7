"""A bounded mean: evidence that it is above what was stated, and where it lies at any time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from nb2prod.evidence.starts import FixedStarts

Floats = npt.NDArray[np.float64]

_BETS = (0.05, 0.1, 0.2, 0.4, 0.8)
_MOST_BET = 0.5


class MeanEvidence:
    """Evidence that values from 0 to 1 have a mean above `stated`, from some day on.

    A bet on each value, 1 + b (x - m)/m, has the mean 1 or less while the mean is at most m, whatever the values' distribution; bets of several sizes
    are mixed. Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (arXiv 2010.09686).
    """

    def __init__(self, stated: float) -> None:
        if not 0 < stated < 1:
            raise ValueError(f"a mean of {stated} can't be exceeded, or always is")
        self._stated = stated
        self._starts = FixedStarts(len(_BETS), self._gains)

    def add(self, values: Floats) -> float:
        """The values of another day, (n,); returns the logarithm of the evidence after it. A day without values changes nothing."""
        return self._starts.add(np.asarray(values, dtype="float64")) if len(values) else self.evidence

    @property
    def evidence(self) -> float:
        """Logarithm of the evidence."""
        return self._starts.evidence

    @property
    def likeliest(self) -> int:
        """The day with values, counted from 1, with which the mean most likely rose; 0 before the first."""
        return self._starts.likeliest

    def _gains(self, values: Floats) -> Floats:
        over = (np.clip(values, 0.0, 1.0) - self._stated) / self._stated
        return np.asarray(np.log1p(np.asarray(_BETS)[:, None] * over).sum(axis=1))


class MeanSequence:
    """Where the mean of values from 0 to 1 lies, with an interval that holds at all times together.

    The predictable empirical-Bernstein confidence sequence (Waudby-Smith and Ramdas, theorem 2). Where the mean moves, it covers the weighted average
    of the means so far.
    """

    def __init__(self, alpha: float = 0.05) -> None:
        self._log = math.log(2 / alpha)
        self._count = 0
        self._sum, self._squares = 0.5, 0.25
        """Of the values and of their squared distances from the means before them, with one imagined value of 1/2."""
        self._bets, self._bet_values, self._loss = 0.0, 0.0, 0.0
        self._low, self._high = 0.0, 1.0

    def add(self, values: Floats) -> tuple[float, float]:
        """More values, (n,), in their order; returns the interval after them."""
        seen = np.clip(np.asarray(values, dtype="float64"), 0.0, 1.0)
        if not len(seen):
            return self.interval
        order = self._count + 1 + np.arange(len(seen))
        before = np.concatenate([[self._sum], self._sum + np.cumsum(seen)])
        means = before / np.concatenate([order, [order[-1] + 1]])
        squares = np.concatenate([[self._squares], self._squares + np.cumsum((seen - means[1:]) ** 2)])
        variances = squares[:-1] / order
        bets = np.minimum(np.sqrt(2 * self._log / (variances * order * np.log1p(order))), _MOST_BET)
        self._bets += float(bets.sum())
        self._bet_values += float((bets * seen).sum())
        # With the distance to the mean before it: the bet may not know the value.
        self._loss += float((((seen - means[:-1]) ** 2) * (-np.log1p(-bets) - bets)).sum())
        self._count, self._sum, self._squares = int(order[-1]), float(before[-1]), float(squares[-1])
        centre, width = self._bet_values / self._bets, (self._log + self._loss) / self._bets
        # All intervals hold together, so their intersection does; an empty one says that the mean moved.
        if max(self._low, centre - width) <= min(self._high, centre + width):
            self._low, self._high = max(self._low, centre - width), min(self._high, centre + width)
        else:
            self._low, self._high = max(0.0, centre - width), min(1.0, centre + width)
        return self.interval

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends."""
        return self._low, self._high

    @property
    def count(self) -> int:
        """How many values there were."""
        return self._count
