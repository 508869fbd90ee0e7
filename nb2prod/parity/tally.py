"""Counting what one kind of case finds, and when two outcomes of a row agree."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nb2prod.parity.report import KindResult, Mismatch
from nb2prod.parity.service import Answer
from nb2prod.runtime.equality import Difference, Tolerance, difference

KEPT = 20
"""Mismatches of one kind that the report shows; all are counted."""
_KEPT_PER_CASE = 5


def disagreement(
    expected: Answer, actual: Answer, tolerance: Tolerance, *, output: str = "", kind: str = ""
) -> Difference | None:
    """How two outcomes differ; None where they agree. Two errors agree whatever their words."""
    if expected.kind == actual.kind == "value":
        return difference(expected.value, actual.value, tolerance, output=output, kind=kind)
    if expected.kind == actual.kind and actual.kind != "broken":
        return None
    wanted = "" if expected.kind == "value" else f"{_WORDS[expected.kind]} expected, "
    got = _WORDS[actual.kind] if actual.kind != "value" else "a prediction"
    because = f": {actual.reason}" if actual.reason else ""
    return Difference("", expected.value, actual.value, f"{wanted}{got} came back{because}")


_WORDS = {
    "value": "a prediction",
    "error": "a row error",
    "refused": "a refusal of the row's form (422)",
    "broken": "an unusable answer",
}


@dataclass(frozen=True)
class Asked:
    """A row that was asked: its position in the replay (or among the edges), its raw row, and what was sent."""

    row: int
    row_id: int | None
    request: Mapping[str, Any]


class Tally:
    """The findings of one kind."""

    def __init__(self, kind: str, tolerance: Tolerance, *, output: str, output_kind: str) -> None:
        self.kind = kind
        self.rows = 0
        self.refused = 0
        self.failed = 0
        self.differences = 0
        self.kept: list[Mismatch] = []
        self.seconds = 0.0
        self.requests = 0
        self.notes: list[str] = []
        self._tolerance = tolerance
        self._output = output
        self._output_kind = output_kind
        self._seen: set[tuple[int | None, str]] = set()
        self._by_case: Counter[str] = Counter()

    def compare(self, case: str, asked: Asked, expected: Answer, actual: Answer) -> bool:
        """Count this row and whether its outcomes agree."""
        self.rows += 1
        self.refused += expected.kind == actual.kind == "refused"
        found = disagreement(expected, actual, self._tolerance, output=self._output, kind=self._output_kind)
        if found is None:
            self.failed += expected.kind == "error"
            return True
        self.differ(
            Mismatch(
                kind=self.kind,
                case=case,
                reason=found.reason,
                row=asked.row,
                row_id=asked.row_id,
                output=f"{self._output}{found.place}",
                expected=found.expected,
                actual=found.actual,
                difference=found.size,
                request=asked.request,
            )
        )
        return False

    def differ(self, mismatch: Mismatch) -> None:
        """Count this mismatch; the first few of each case are kept for the report."""
        self.differences += 1
        key = (mismatch.row, mismatch.case)
        if len(self.kept) < KEPT and key not in self._seen and self._by_case[mismatch.case] < _KEPT_PER_CASE:
            self._seen.add(key)
            self._by_case[mismatch.case] += 1
            self.kept.append(mismatch)

    def result(self) -> KindResult:
        """What came of it; a kind that compared nothing was not run."""
        status = "failed" if self.differences else "passed" if self.rows else "not run"
        return KindResult(
            kind=self.kind,
            status=status,  # type: ignore[arg-type]
            rows=self.rows,
            requests=self.requests,
            differences=self.differences,
            refused=self.refused,
            failed=self.failed,
            seconds=round(self.seconds, 3),
            note="; ".join(self.notes),
        )


class Stopwatch:
    """Adds the seconds of its block, and a service's requests, to a tally."""

    def __init__(self, tally: Tally, counter: Any) -> None:
        self._tally, self._counter = tally, counter

    def __enter__(self) -> Tally:
        self._since, self._requests = time.perf_counter(), self._counter.requests
        return self._tally

    def __exit__(self, *_: object) -> None:
        self._tally.seconds += time.perf_counter() - self._since
        self._tally.requests += self._counter.requests - self._requests
