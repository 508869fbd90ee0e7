"""The five kinds of case. Each asks, compares and leaves its findings on the bench."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nb2prod.parity.batches import Batch
from nb2prod.parity.bench import Bench, Setting
from nb2prod.parity.cases import Edge
from nb2prod.parity.inprocess import Worker
from nb2prod.parity.report import Mismatch
from nb2prod.parity.service import BATCH, ROW_BY_ROW, Answer, Service, outcomes
from nb2prod.parity.tally import Asked, Stopwatch, disagreement

_NONE = "the batch of no rows"


def replay(bench: Bench, service: Service) -> None:
    """The rows that the notebook predicted give its own predictions."""
    with Stopwatch(bench.tallies["replay"], service):
        size = BATCH if bench.signature.batching else ROW_BY_ROW
        bench.reference = service.predict_batches(bench.cases.rows, size)
        expected = [Answer("value", value) for value in bench.cases.expected]
        for start in range(0, len(expected), size):
            positions = range(start, min(start + size, len(expected)))
            part = slice(start, start + size)
            case = f"request of {len(positions)} rows"
            bench.compare("replay", case, positions, expected[part], bench.reference[part])


def singles(bench: Bench, service: Service, setting: Setting, positions: Sequence[int]) -> None:
    """Rows asked alone are answered as in the replay."""
    with Stopwatch(bench.tallies["partition"], service):
        actual = service.predict_singly(bench.rows(positions))
        for position, answer in zip(positions, actual, strict=True):
            bench.compare("partition", setting.name("alone"), [position], [bench.reference[position]], [answer])


def partition(bench: Bench, service: Service, setting: Setting, found: Sequence[Batch]) -> None:
    """Rows in other company are answered as in the replay; no rows give no answers."""
    with Stopwatch(bench.tallies["partition"], service) as tally:
        actual = service.parallel(lambda batch: service.predict(bench.rows(batch.positions)), found)
        for batch, answers in zip(found, actual, strict=True):
            expected = [bench.reference[position] for position in batch.positions]
            bench.compare("partition", setting.name(batch.name), batch.positions, expected, answers)
        reply = service.client.post("/predict", {"rows": []})
        tally.rows += 1
        document = reply.document if isinstance(reply.document, Mapping) else {}
        if reply.status != 200 or document.get("predictions") != [] or document.get("errors") != []:
            reason = f"no rows were sent, and no empty lists came back (status {reply.status})"
            tally.differ(
                Mismatch("partition", setting.name(_NONE), reason, expected=[], actual=document.get("predictions"))
            )


def wire(bench: Bench, service: Service, worker: Worker) -> None:
    """What the replay got over HTTP is what the same code gives in process, however the JSON is written."""
    with Stopwatch(bench.tallies["wire"], service):
        positions = bench.choose(bench.limits.wire)
        rows = bench.rows(positions)
        inside = worker.predict(rows)
        case = f"in process, hash seed {worker.hash_seed}"
        bench.compare("wire", case, positions, inside, [bench.reference[position] for position in positions])
        for name, write in _WRITINGS.items():
            bench.compare("wire", name, positions, inside, service.predict(rows, write))


def _reversed(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps({"rows": [dict(reversed(list(row.items()))) for row in rows]}).encode()


def _compact(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps({"rows": list(map(dict, rows))}, ensure_ascii=False, separators=(",", ":")).encode()


_WRITINGS = {"fields in reverse order": _reversed, "compact, in UTF-8": _compact}
"""The same rows as JSON texts that differ."""


def foreign_fields(bench: Bench, service: Service) -> None:
    """A request that names the target, or a column that does not matter, is refused and told which."""
    tally = bench.tallies["target-free"]
    with Stopwatch(tally, service):
        columns = [column for column in bench.signature.columns if not column.field]
        columns.sort(key=lambda column: not column.target)
        for column in columns[: bench.limits.phantom_columns]:
            row = {**bench.cases.rows[0], column.key: column.phantom}
            reply = service.client.post("/predict", {"rows": [row]})
            service.requests += 1
            tally.rows += 1
            (answer,) = outcomes(reply, 1)
            if answer.kind != "refused" or column.key not in json.dumps(reply.document, ensure_ascii=False):
                what = "the target" if column.target else "a column that is no field"
                reason = (
                    f"the request named {column.key!r}, {what}, and was not refused by name (status {reply.status})"
                )
                tally.differ(Mismatch("target-free", f"a request that names {column.key}", reason, row=0, request=row))


def phantoms(bench: Bench, worker: Worker) -> None:
    """Other values in the target's place, and in that of columns that do not matter, change nothing."""
    others = {name: list(values) for name, values in bench.cases.phantoms.items() if values}
    if not others:
        return
    tally = bench.tallies["target-free"]
    with Stopwatch(tally, _Uncounted()):
        positions = bench.choose(bench.limits.phantoms)
        rows = bench.rows(positions)
        plain = worker.predict(rows)
        for number in range(max(map(len, others.values()))):
            together = {name: values[number % len(values)] for name, values in others.items()}
            changed = worker.predict(rows, together)
            if _agree(bench, plain, changed):
                bench.compare("target-free", "all phantoms changed", positions, plain, changed)
                continue
            # Something matters: which one?
            for name, value in together.items():
                alone = worker.predict(rows, {name: value})
                bench.compare("target-free", f"{name} with another value", positions, plain, alone)
            if not tally.differences:
                bench.compare("target-free", "all phantoms changed", positions, plain, changed)


def edges(bench: Bench, service: Service, setting: Setting) -> None:
    """Odd rows get what the notebook's own statements give them, and leave their neighbours' answers alone."""
    found = bench.cases.edges
    tally = bench.tallies["edges"]
    if not found:
        tally.notes = ["the cases hold none"]
        return
    with Stopwatch(tally, service):
        actual = service.predict_singly([edge.row for edge in found])
        for number, (edge, answer) in enumerate(zip(found, actual, strict=True)):
            case = setting.name(edge.name or f"edge {number + 1}")
            tally.compare(case, Asked(number, None, edge.row), _outcome(edge), answer)
        _among_others(bench, service, setting)


def _among_others(bench: Bench, service: Service, setting: Setting) -> None:
    odd = [edge.row for edge in bench.cases.edges if edge.outcome != "refused"]
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
        bench.compare("edges", setting.name("beside odd rows"), [position], [bench.reference[position]], [answer])


def _outcome(edge: Edge) -> Answer:
    if edge.outcome == "value":
        return Answer("value", edge.expected)
    return Answer("error" if edge.outcome == "raises" else "refused", None, str(edge.expected))


def _agree(bench: Bench, one: Sequence[Answer], other: Sequence[Answer]) -> bool:
    return all(disagreement(a, b, bench.tolerance) is None for a, b in zip(one, other, strict=True))


class _Uncounted:
    """The in-process worker makes no requests."""

    requests = 0
