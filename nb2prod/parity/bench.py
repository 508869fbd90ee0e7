"""What all kinds of case share: the notebook's run, which rows to take, and the findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nb2prod.parity.cases import Cases
from nb2prod.parity.coverage import choose
from nb2prod.parity.report import KINDS
from nb2prod.parity.service import Answer
from nb2prod.parity.tally import Asked, Tally
from nb2prod.runtime.equality import Difference, Tolerance, feature_difference
from nb2prod.runtime.signature import Signature


@dataclass(frozen=True)
class Limits:
    """How many rows each kind takes at most; where there are more, they are chosen for coverage."""

    replay: int = 5_000
    singles: int = 300
    pool: int = 1_000
    """Rows of the partition's larger requests."""
    row_by_row: int = 30
    """The same where the service works row by row: neighbours can hardly meet, and each row takes its time."""
    again: int = 150
    """Rows that the second server is asked, each alone."""
    wire: int = 200
    features: int = 300
    """Rows whose features are compared with the recording's."""
    edges_again: int = 40
    """Edge rows that the second server is asked."""
    drawn: int = 40
    """Requests of rows drawn from the signature."""
    phantoms: int = 50
    phantom_columns: int = 20
    until_failure: bool = False
    """Whether to ask nothing more after the first step that shows a difference."""
    edges: int | None = None
    """Edge rows that are asked; None for all."""
    second_server: bool = True
    """Whether a second server, under another hash seed and row by row, is asked too."""

    @property
    def sample(self) -> bool:
        """Whether this asks too little for a proof that a release may be deployed with."""
        return not self.second_server


SAMPLE = Limits(
    replay=200, singles=30, pool=100, row_by_row=10, again=0, wire=30, features=50, edges=40, drawn=8, phantoms=10,
    phantom_columns=5, second_server=False,
)  # fmt: skip
"""A look at each kind of case, for who tries things out: `build --quick`."""


class Bench:
    """One proof under way."""

    def __init__(self, cases: Cases, signature: Signature, *, tolerance: Tolerance, seed: int, limits: Limits) -> None:
        if len(cases.rows) > limits.replay:
            cases = cases.take(choose(cases.rows, limits.replay, seed=seed, expected=cases.expected))
        if limits.edges is not None and len(cases.edges) > limits.edges:
            # Every so many of them: they stand by kind, and of each some are asked.
            cases = replace(cases, edges=cases.edges[:: -(-len(cases.edges) // limits.edges)])
        self.cases = cases
        self.signature = signature
        self.tolerance = tolerance = cases.tolerance(tolerance)
        self.feature_tolerance = cases.feature_tolerance(tolerance)
        self.seed = seed
        self.limits = limits
        self.singles = self.choose(limits.singles)
        self.pool = self.choose(limits.pool if signature.batching else limits.row_by_row)
        self.reference: list[Answer] = []
        """What the service answered in the replay: what its later answers are held against."""
        self.company: dict[tuple[str, int], tuple[int, ...]] = {}
        """In which company a row was asked when its answer differed: case and position -> the request's positions."""
        self._differing: set[int] = set()
        self.tallies = {
            kind: Tally(kind, tolerance, output=cases.prediction, output_kind=signature.prediction.kind)
            for kind in KINDS
        }

    def choose(self, limit: int) -> list[int]:
        """Positions of at most `limit` rows of the replay, chosen for coverage."""
        return choose(self.cases.rows, limit, seed=self.seed, expected=self.cases.expected)

    @property
    def differing(self) -> tuple[int, ...]:
        """Positions of the replay's rows whose answers differed."""
        return tuple(sorted(self._differing))

    def rows(self, positions: Sequence[int]) -> list[Mapping[str, Any]]:
        """The replay's rows at these positions."""
        return [self.cases.rows[position] for position in positions]

    def feature_difference(self, position: int, expected: Any, actual: Any) -> Difference | None:
        """How two values of the feature at this position differ; None where they are equal, or nothing comes of the feature."""
        if position in self.cases.unread:
            return None
        return feature_difference(expected, actual, self.feature_tolerance.at(f"[{position}]"))

    def feature_names(self, count: int) -> Sequence[str]:
        """Names of `count` features, by position where none are known."""
        for names in (self.cases.feature_names, self.signature.features.names):
            if names is not None and len(names) == count:
                return names
        return [f"feature {position}" for position in range(count)]

    def compare(
        self, kind: str, case: str, positions: Sequence[int], expected: Sequence[Answer], actual: Sequence[Answer]
    ) -> None:
        """Hold these outcomes of the replay's rows at `positions` against each other."""
        tally = self.tallies[kind]
        for position, one, other in zip(positions, expected, actual, strict=True):
            asked = Asked(position, self.cases.row_id(position), self.cases.rows[position])
            agrees = tally.compare(case, asked, one, other)
            if not agrees:
                self.company.setdefault((case, position), tuple(positions))
                self._differing |= {position} if kind == "replay" else set()


@dataclass(frozen=True)
class Setting:
    """How the service under proof runs at the moment, as the case's name says it."""

    words: str = ""

    def name(self, case: str) -> str:
        """The case's name in this setting."""
        return f"{case}, {self.words}" if self.words else case
