"""Rows that were given other values: the service must answer as the notebook did, run again with these values in its raw table.

What is expected owes nothing to the plan: it is the notebook's own prediction, or that a rule of it left the row out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from nb2prod.counterfactual.cases import Changed, Found
from nb2prod.parity.bench import Bench, Setting
from nb2prod.parity.service import Answer, Service
from nb2prod.parity.tally import Asked, Stopwatch, disagreement

KIND = "counterfactual"
NONE = "the notebook was not run again with other values"


class Awaited(Protocol):
    """Runs of the notebook that go on beside the proof."""

    def found(self) -> Found:
        """What they found; waits for them."""

    def confirm(self, rows: Sequence[Changed]) -> list[int] | None:
        """The positions of those rows that get the same in a run that changes fewer others; None where that could not be told."""


def ask(bench: Bench, service: Service, setting: Setting, awaited: Awaited | None = None) -> None:
    """Ask for the changed rows, each alone.

    A row whose answer differs is put to the notebook once more, with fewer others changed beside it: where that gives it another answer,
    the notebook's answer to it depends on other rows, and the row is no case.
    """
    tally = bench.tallies[KIND]
    found = bench.cases.counterfactual
    if found is None or not found.rows:
        tally.notes = [found.missing if found is not None else NONE]
        return
    with Stopwatch(tally, service):
        actual = service.predict_singly([row.request for row in found.rows])
        expected = [_expected(row) for row in found.rows]
        differing = [at for at, row in enumerate(found.rows) if _differs(bench, expected[at], actual[at])]
        refuted: set[int] = set()
        if differing and awaited is not None:
            confirmed = awaited.confirm([found.rows[at] for at in differing])
            if confirmed is not None:
                refuted = {at for place, at in enumerate(differing) if place not in confirmed}
        for at, row in enumerate(found.rows):
            if at not in refuted:
                asked = Asked(at, row.row_id, row.request)
                tally.compare(setting.name(name_of(row)), asked, expected[at], actual[at])
    tally.notes = list(found.notes)
    if refuted:
        tally.notes.append(f"{len(refuted)} rows were left out: their answers depend on which other rows were changed")


def name_of(row: Changed) -> str:
    """Which row was given what, in words."""
    return f"row {row.row_id} with {row.words}"


def features_of(row: Changed) -> Sequence[Any] | None:
    """What the model was given for the row, by position."""
    made = row.features
    if isinstance(made, Mapping):
        return list(made.values())
    return made if isinstance(made, list) else None


def _expected(row: Changed) -> Answer:
    return Answer("value", row.expected) if row.outcome == "value" else Answer("error", None, str(row.expected))


def _differs(bench: Bench, expected: Answer, actual: Answer) -> bool:
    kind = bench.signature.prediction.kind
    return disagreement(expected, actual, bench.tolerance, output=bench.cases.prediction, kind=kind) is not None
