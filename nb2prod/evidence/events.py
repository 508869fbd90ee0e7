"""Do events fall to one arm with the share that its traffic has?

Requests are assigned at random, a share `w` of them to the arm. Whatever the traffic does over the day, under the null each event (an error, an
answer over the budget, a prediction of a class) falls to the arm with the probability w. The alternatives are odds that are higher by the factors
in `MORE` (and lower by as much, where both directions count), mixed: Lindon and Malek, arXiv 2011.03567.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MORE = (1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
_WEIGHTS = (*[1 / 14] * 7, 1 / 2)
"""Half of the trust goes to the gravest harm, which has to be found within a few requests."""


class EventEvidence:
    """Evidence that events meet an arm more often (or, with `both`, less often too) than its share says.

    The share may change between two calls of `add`, as a rollout's does; what was seen stays counted. With `allowed` above 1, events may be that many times as
    frequent in the arm (or as rare) and are still no evidence: each alternative is held against the end of that range that is nearest to it, and whatever lies
    within speaks even less for it.
    """

    def __init__(self, *, both: bool = False, allowed: float = 1.0) -> None:
        if allowed < 1:
            raise ValueError(f"a factor of {allowed} allows nothing")
        factors = allowed * np.asarray(MORE)
        self._factors = np.concatenate([factors, 1 / factors]) if both else factors
        self._nulls = np.where(self._factors > 1, allowed, 1 / allowed)
        weights = np.asarray([*_WEIGHTS, *_WEIGHTS] if both else _WEIGHTS)
        self._values = np.log(weights / weights.sum())

    def add(self, share: float, in_arm: int, events: int) -> float:
        """So many events of which `in_arm` fell to an arm with this share (0 < share < 1); returns the logarithm of the evidence."""
        if not 0 < share < 1 or not 0 <= in_arm <= events:
            raise ValueError(f"{in_arm} of {events} events with a share of {share}")
        inside, outside = self._gains(share)
        self._values = self._values + in_arm * inside + (events - in_arm) * outside
        return self.evidence

    def add_each(self, share: float, in_arm: npt.NDArray[np.bool_]) -> Floats:
        """Events one after the other, each in the arm or not, (n,); returns the logarithm of the evidence after each of them, (n,)."""
        if not 0 < share < 1:
            raise ValueError(f"a share of {share}")
        inside, outside = self._gains(share)
        course = self._values + np.cumsum(np.where(in_arm[:, None], inside, outside), axis=0)
        if len(course):
            self._values = course[-1]
        return np.asarray(np.logaddexp.reduce(course, axis=1))

    def _gains(self, share: float) -> tuple[Floats, Floats]:
        """What an event in the arm adds to each alternative's logarithm, and what one outside of it does."""
        chance, null = (share * odds / (1 - share + share * odds) for odds in (self._factors, self._nulls))
        return np.log(chance / null), np.log((1 - chance) / (1 - null))

    @property
    def evidence(self) -> float:
        """Logarithm of the evidence."""
        return float(np.logaddexp.reduce(self._values))
