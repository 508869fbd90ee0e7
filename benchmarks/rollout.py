"""Is a good canary left alone, and a bad one withdrawn before many have met it?

    python benchmarks/rollout.py [--rollouts 1000] [--canaries 3000] [--challengers 300] [--json]

1. False rollbacks: simulated rollouts of 1, 10 and 50 % whose canary is like the stable release, looked at after each request: errors, refusals, late answers, fallbacks
   and nulls, and ten bins of the prediction.
2. Requests that a canary meets before it is withdrawn: one that fails half of them, and one with ten times the stable release's errors (1 %).
3. Stages without traffic that would be promoted.
4. Challengers that are worse by twice the margin of a paired gate, and pass it.

Prints a line a figure with its goal. Exit code 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from nb2prod.criteria import Criterion  # noqa: E402 - found beside this file
from nb2prod.evaluation.comparison import compare  # noqa: E402
from nb2prod.evaluation.outcomes import Outcomes  # noqa: E402
from nb2prod.evidence.canary import ALPHA, KINDS, CanaryEvidence, requests_needed  # noqa: E402
from nb2prod.evidence.events import EventEvidence  # noqa: E402
from nb2prod.evidence.families import needed  # noqa: E402
from nb2prod.release.gates.check import told_apart  # noqa: E402

Floats = npt.NDArray[np.float64]

RATES = (0.01, 0.03, 0.02, 0.05, 0.005)
BINS = tuple(f"bin {at}" for at in range(10))
STAGES = (0.01, 0.1, 0.5)
A_STAGE = 4_000
LONGEST = 100_000
MARGIN = 0.03
ROWS = 500


@dataclass(frozen=True)
class Figure:
    """A measured number with its goal."""

    name: str
    value: float
    goal: str
    met: bool


def false_rollbacks(rollouts: int) -> Figure:
    """How many canaries that are like the stable release are withdrawn."""
    rng = np.random.default_rng(1)
    found = sum(_withdrawn(rng) for _ in range(rollouts))
    return Figure(f"false rollbacks of {rollouts:,} rollouts watched at each request", found, "at most 1", found <= 1)


def _withdrawn(rng: np.random.Generator) -> bool:
    total = A_STAGE * len(STAGES)
    weights = CanaryEvidence(KINDS, BINS).weights
    # The evidence of each question after each of the requests; it stays as it is between two events.
    together = np.full(total, -np.inf)
    shares = np.repeat(STAGES, A_STAGE)
    mine = rng.random(total) < shares
    bins = rng.choice(len(BINS), total, p=rng.dirichlet(np.full(len(BINS), 2.0)))
    happened = [rng.random(total) < rate for rate in RATES] + [bins == at for at in range(len(BINS))]
    for question, (weight, events) in enumerate(zip(weights, happened, strict=True)):
        together = np.logaddexp(together, np.log(weight) + _course(events, mine, both=question >= len(KINDS)))
    return bool(together.max() >= needed(1, ALPHA))


def _course(events: npt.NDArray[np.bool_], mine: npt.NDArray[np.bool_], *, both: bool) -> Floats:
    evidence = EventEvidence(both=both)
    at = np.flatnonzero(events)
    values = [np.zeros(1)]
    for stage, share in enumerate(STAGES):
        here = at[(at >= stage * A_STAGE) & (at < (stage + 1) * A_STAGE)]
        values.append(evidence.add_each(share, mine[here]))
    return np.concatenate(values)[np.cumsum(events)]


def met(rate: float, share: float, canaries: int) -> Floats:
    """How many requests each of some canaries that fail at this rate has met when it is withdrawn; the stable release fails at 1 %,
    and nothing else is different.
    """
    rng = np.random.default_rng(2)
    weight = CanaryEvidence(KINDS, BINS).weights[0]
    found = []
    for _ in range(canaries):
        arms = rng.random(LONGEST) < share
        events = np.flatnonzero(rng.random(LONGEST) < np.where(arms, rate, RATES[0]))
        # Nothing else happens: the evidence of the other questions stays 1.
        course = np.logaddexp(np.log(weight) + EventEvidence().add_each(share, arms[events]), np.log(1 - weight))
        over = np.flatnonzero(course >= needed(1, ALPHA))
        found.append(float(arms[: events[over[0]] + 1].sum()) if len(over) else np.inf)
    return np.asarray(found)


def withdrawals(canaries: int) -> list[Figure]:
    """Figures for a canary that fails half of its requests and for one with a tenfold error rate, at their first stage."""
    half, tenfold = met(0.5, 0.01, canaries), met(0.1, 0.01, canaries)
    middle, most, long = float(np.median(half)), float(np.quantile(half, 0.95)), float(np.quantile(tenfold, 0.95))
    first = "requests until a canary of 1 % that fails half of them is withdrawn"
    return [
        Figure(f"{first}, median", middle, "at most 6", middle <= 6),
        Figure(f"{first}, of 95 %", most, "at most 20", most <= 20),
        Figure("requests until one with ten times the errors is withdrawn, of 95 %", long, "at most 150", long <= 150),
    ]


def without_data() -> Figure:
    """How many stages would be over although nothing was asked, at each share and several rates of events."""
    rates = (0.0, 0.001, 0.01, 0.1)
    found = sum(CanaryEvidence(KINDS).canary >= requests_needed(share, rate) for share in STAGES for rate in rates)
    return Figure("promotions without data", found, "0", found == 0)


def worse_challengers(challengers: int) -> Figure:
    """How many challengers whose accuracy is lower by twice the margin pass the paired gate of that margin."""
    rng = np.random.default_rng(3)
    gate = Criterion("vs_live.accuracy", ">=", -MARGIN)
    passed = 0
    for _ in range(challengers):
        truth = rng.integers(0, 2, ROWS)
        champion = np.where(rng.random(ROWS) < 0.85, truth, 1 - truth)
        # It is wrong where the champion is, but for some rows, and wrong in other rows of twice the margin more.
        flips = rng.random(ROWS) < np.where(champion == truth, (0.03 + 2 * MARGIN) / 0.85, 0.03 / 0.15)
        pair = compare(_outcomes(champion, truth), _outcomes(np.where(flips, 1 - champion, champion), truth), "answer")
        found = next(item for item in pair.metrics if item.name == "accuracy")
        passed += told_apart(gate, found, pair.rows).outcome == "passed"
    name = f"challengers worse by twice the margin that pass the gate, of {challengers:,}"
    return Figure(name, passed, "at most 3", passed <= 3)


def _outcomes(answers: npt.NDArray[np.int64], truth: npt.NDArray[np.int64]) -> Outcomes:
    return Outcomes(
        predicted=ROWS,
        keys=tuple(map(str, range(ROWS))),
        row_ids=tuple(range(ROWS)),
        predictions=tuple(answers.tolist()),
        truth=tuple(truth.tolist()),
        classes=(0, 1),
        estimator="classifier",
    )


def measured(rollouts: int, canaries: int, challengers: int) -> Iterator[Figure]:
    """Each figure as soon as it is there."""
    yield from withdrawals(canaries)
    yield without_data()
    yield false_rollbacks(rollouts)
    yield worse_challengers(challengers)


def main() -> int:
    """Measure, print, and say whether all goals are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=1_000)
    parser.add_argument("--canaries", type=int, default=3_000)
    parser.add_argument("--challengers", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    figures = []
    for item in measured(told.rollouts, told.canaries, told.challengers):
        figures.append(item)
        if not told.json:
            print(f"{item.name}: {item.value:g} (goal: {item.goal}){'' if item.met else '  MISSED'}", flush=True)
    if told.json:
        sys.stdout.write(json.dumps([asdict(item) for item in figures], indent=1) + "\n")
    return 0 if all(item.met for item in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
