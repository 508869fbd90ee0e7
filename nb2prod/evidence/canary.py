"""Does a canary do harm, and has it met enough requests that harm would have been seen?

A share of the requests, drawn at random, is answered by the canary, the rest by the stable release. What is asked of every answer (did it fail, was it late,
did the fallback give it, was it null; in which bin is the prediction) is an event that falls to the canary with its share while both are alike, whatever the
traffic does. The evidence of all questions is mixed with weights that sum to one: a mean of e-processes is one, so the chance that a canary that is like
the stable release is ever withdrawn stays below `ALPHA`, however often one looks and however long it takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from nb2prod.evidence.events import EventEvidence
from nb2prod.evidence.families import needed

Floats = npt.NDArray[np.float64]

ALPHA = 0.001
"""The chance that a canary without harm is ever withdrawn."""
KINDS = ("errors", "refusals", "late", "fallbacks", "nulls")
"""What is asked of every answer, the gravest first: no answer or a fault of the server's, a refusal of the request, later than the budget, given by the fallback's rule, null."""
HARM = 0.05
"""The rise of a rate of events that has to be seen before a stage is over; of frequent events, a rise by half."""
SHIFT = 0.25
"""The rise of the share of one bin of the predictions that has to be seen."""
SURE = 0.95
"""With this chance it has to be seen."""
_GRAVEST = 0.8
"""The weight of the first question, errors; the others share the rest."""
_RUNS, _SEED = 400, 0
_MOST = 20_000


@dataclass(frozen=True)
class Counts:
    """What was answered since the last look: requests, events of each kind, and predictions of each bin; `canary` counts are part of `all` counts."""

    canary: int
    all: int
    events: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By kind: (of the canary, of all)."""
    bins: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By bin of the prediction: (of the canary, of all)."""


class CanaryEvidence:
    """Evidence that a canary is not like the stable release.

    Args:
        kinds: kinds of events of which more are harm, the gravest first.
        bins: bins of the prediction, of which more and fewer count.
        allowed: so many times as frequent, or as rare, may a bin be without being harm.
    """

    def __init__(
        self, kinds: Sequence[str], bins: Sequence[str] = (), alpha: float = ALPHA, *, allowed: float = 1.0
    ) -> None:
        if not kinds:
            raise ValueError("a canary is asked for errors at least")
        self._kinds = {name: EventEvidence() for name in kinds}
        self._bins = {name: EventEvidence(both=True, allowed=allowed) for name in bins}
        self.weights = _weights(len(kinds), len(bins))
        """Of each question, in the order of `by_question`."""
        self._needed = needed(1, alpha)
        self._most = 0.0
        self.canary = 0
        """Requests that the canary has answered."""

    def add(self, share: float, counts: Counts) -> bool:
        """What was answered while the canary had this share (0 < share < 1); whether there is harm now. Once there was, there is."""
        self.canary += counts.canary
        for known, seen in ((self._kinds, counts.events), (self._bins, counts.bins)):
            for name, (mine, whole) in seen.items():
                known[name].add(share, mine, whole)
        self._most = max(self._most, self.evidence)
        return self.harmful

    @property
    def evidence(self) -> float:
        """Logarithm of the evidence of all questions together."""
        return float(np.logaddexp.reduce(np.log(self.weights) + np.asarray(list(self.by_question.values()))))

    @property
    def harmful(self) -> bool:
        """Whether the evidence has ever been enough."""
        return self._most >= self._needed

    @property
    def by_question(self) -> dict[str, float]:
        """Logarithm of the evidence of each question, in their order."""
        return {name: item.evidence for name, item in {**self._kinds, **self._bins}.items()}

    @property
    def leading(self) -> str:
        """The question that speaks most against the canary."""
        found = self.by_question
        return max(found, key=lambda name: found[name])


@cache
def requests_needed(
    share: float,
    rate: float,
    weight: float = _GRAVEST,
    alpha: float = ALPHA,
    *,
    harm: float = HARM,
    allowed: float | None = None,
) -> int:
    """How many requests the canary must meet at this share, so that a rise of a question's events from `rate` to `rate` + `harm` is seen with the chance `SURE`.

    `weight` is the question's, of `CanaryEvidence.weights`; `allowed` as there, for a bin of the prediction. Worked out by simulation with a fixed seed; at most 20,000, which says that it takes longer than
    anyone waits. Raises `ValueError` for numbers that can't be.
    """
    if not 0 < share < 1 or not 0 <= rate <= 1:
        raise ValueError(f"a share of {share} and a rate of {rate}")
    rng = np.random.default_rng(_SEED)
    worse = min(rate + harm, 1.0)
    wanted = needed(1, alpha) - float(np.log(weight))
    met: list[int] = []
    late = 0
    while len(met) < _RUNS and late <= (1 - SURE) * _RUNS and worse > rate:
        met.append(_met(rng, share, (rate, worse), wanted, allowed))
        late += met[-1] >= _MOST
    return int(np.quantile(met, SURE, method="higher")) if len(met) == _RUNS else _MOST


def _met(
    rng: np.random.Generator, share: float, rates: tuple[float, float], wanted: float, allowed: float | None
) -> int:
    """Requests that one simulated canary has answered when its harm is seen; `rates` of the events of the stable release and of the canary."""
    rate, worse = rates
    happens = share * worse + (1 - share) * rate
    quiet = share * (1 - worse) / (1 - happens) if happens < 1 else 0.0
    evidence = EventEvidence() if allowed is None else EventEvidence(both=True, allowed=allowed)
    mine, block = 0, 64
    total = 0
    while mine < _MOST * worse:
        arm = rng.random(block) < share * worse / happens
        over = np.flatnonzero(evidence.add_each(share, arm) >= wanted)
        count = int(over[0]) + 1 if len(over) else block
        mine, total = mine + int(arm[:count].sum()), total + count
        if len(over):
            # Time passes by all events, whosever they are; of the requests without one, the canary has answered its part.
            between = int(rng.negative_binomial(total, happens)) if happens < 1 else 0
            return min(mine + int(rng.binomial(between, quiet)), _MOST)
        block *= 2
    return _MOST


def _weights(kinds: int, bins: int) -> Floats:
    """Of the first kind, of the others, and of the bins, which together count as one kind: they sum to one."""
    others = kinds - 1
    if not others and not bins:
        return np.ones(1)
    part = (1 - _GRAVEST) / (others + (bins > 0))
    return np.asarray([_GRAVEST, *[part] * others, *[part / max(bins, 1)] * bins])
