"""Edge rows: odd ones, sought out in the data or made, held against what the notebook's own statements make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nb2prod.parity.bench import Bench, Setting
from nb2prod.parity.cases import Edge
from nb2prod.parity.kinds import feature_mismatch
from nb2prod.parity.report import Mismatch
from nb2prod.parity.service import Answer, Service
from nb2prod.parity.tally import Asked, Stopwatch

BESIDE = "beside odd rows"
"""The case of a row of the replay whose answer changes among odd rows."""


def ask(bench: Bench, service: Service, setting: Setting, numbers: Sequence[int]) -> None:
    """Ask for these edge rows, each alone and then among others.

    Three outcomes agree: the same value; both fail, where the service must say why; refused by the contract.
    """
    found = [bench.cases.edges[number] for number in numbers]
    tally = bench.tallies["edges"]
    if not found:
        tally.notes = ["the cases hold none"]
        return
    with Stopwatch(tally, service):
        actual = service.predict_singly([edge.row for edge in found])
        for number, edge, answer in zip(numbers, found, actual, strict=True):
            tally.compare(setting.name(name_of(edge, number)), Asked(number, None, edge.row), _outcome(edge), answer)
        _among_others(bench, service, setting, found)


def features(bench: Bench, service: Service) -> None:
    """What the model is given for odd rows is what the notebook's own statements give it."""
    tally = bench.tallies["edges"]
    numbers = [number for number, edge in enumerate(bench.cases.edges) if edge.features is not None]
    with Stopwatch(tally, service):
        found = service.features_of([bench.cases.edges[number].row for number in numbers])
        for number, actual in zip(numbers, found, strict=True):
            if _feature(bench, number, actual) is None:
                continue
            # One row is the definition: among odd ones pandas may hold a column as another type.
            (alone,) = service.features_of([bench.cases.edges[number].row])
            if (mismatch := _feature(bench, number, alone)) is not None:
                tally.differ(mismatch)


def _feature(bench: Bench, number: int, actual: Sequence[Any] | None) -> Mismatch | None:
    """The mismatch of an edge row's features; a row without any has no prediction either, which is a finding of its own."""
    edge = bench.cases.edges[number]
    if actual is None:
        return None
    return feature_mismatch(bench, "edges", Asked(number, None, edge.row), edge.features or (), actual)


def again(bench: Bench) -> list[int]:
    """The numbers of the edge rows that a second server is asked: evenly drawn, refused ones left out."""
    numbers = [number for number, edge in enumerate(bench.cases.edges) if edge.outcome != "refused"]
    return numbers[:: max(1, -(-len(numbers) // bench.limits.edges_again))]


def name_of(edge: Edge, number: int) -> str:
    """What the row tries, in words."""
    return edge.name or f"edge {number + 1}"


def _among_others(bench: Bench, service: Service, setting: Setting, found: Sequence[Edge]) -> None:
    odd = [edge.row for edge in found if edge.outcome != "refused"]
    good = bench.singles[: max(8, len(odd))]
    if not odd or not good:
        return
    mixed: list[tuple[Mapping[str, Any], int | None]] = []
    for number, row in enumerate(odd):
        mixed.append((row, None))
        position = good[number % len(good)]
        mixed.append((bench.cases.rows[position], position))
    answers = service.predict_batches([row for row, _ in mixed])
    kept = [(position, answer) for (_, position), answer in zip(mixed, answers, strict=True) if position is not None]
    for position, answer in kept:
        bench.compare("edges", setting.name(BESIDE), [position], [bench.reference[position]], [answer])


def _outcome(edge: Edge) -> Answer:
    if edge.outcome == "value":
        return Answer("value", edge.expected)
    return Answer("error" if edge.outcome == "raises" else "refused", None, str(edge.expected))
