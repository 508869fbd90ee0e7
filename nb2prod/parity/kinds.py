"""The five kinds of case. Each asks, compares and leaves its findings on the bench."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nb2prod.parity.batches import Batch
from nb2prod.parity.bench import Bench, Setting
from nb2prod.parity.inprocess import Worker
from nb2prod.parity.report import Mismatch
from nb2prod.parity.service import BATCH, ROW_BY_ROW, Answer, Service, outcomes
from nb2prod.parity.tally import Asked, Stopwatch, disagreement

_NONE = "the batch of no rows"
FEATURES = "what the model is given"
"""The case of a feature that differs."""
TOGETHER = "alone, with other requests at once"
"""The case of a row that may share a micro-batch with other requests."""
RULES = "the answer by rule"
"""The case of a fallback's answer that differs."""


def replay(bench: Bench, service: Service) -> None:
    """The rows that the notebook predicted give its own predictions."""
    with Stopwatch(bench.tallies["replay"], service) as tally:
        size = BATCH if bench.signature.batching else ROW_BY_ROW
        rows, expected = bench.cases.rows, [Answer("value", value) for value in bench.cases.expected]
        # Where one difference is enough, a service that fails on every row need not be asked for all of them.
        first = min(ROW_BY_ROW, len(rows)) if bench.limits.until_failure else 0
        for begin, end in ((0, first), (first, len(rows))):
            bench.reference += service.predict_batches(rows[begin:end], size)
            for start in range(begin, end, size):
                positions = range(start, min(start + size, end))
                part = slice(positions.start, positions.stop)
                case = f"request of {len(positions)} rows"
                bench.compare("replay", case, positions, expected[part], bench.reference[part])
            if tally.differences and bench.limits.until_failure:
                return


def fallback(bench: Bench, service: Service) -> None:
    """The answers by rule are the notebook's own, all together and alone."""
    if bench.cases.fallback is None:
        return
    expected = [Answer("value", value) for value in bench.cases.fallback]
    size = BATCH if bench.signature.batching else ROW_BY_ROW
    with Stopwatch(bench.tallies["replay"], service):
        for start in range(0, len(expected), size):
            positions = range(start, min(start + size, len(expected)))
            actual = service.fallback(bench.rows(positions))
            bench.compare("replay", RULES, positions, expected[start : start + size], actual)
    with Stopwatch(bench.tallies["partition"], service):
        for position in bench.choose(bench.limits.row_by_row):
            actual = service.fallback(bench.rows([position]))
            bench.compare("partition", f"{RULES}, alone", [position], [expected[position]], actual)


def singles(bench: Bench, service: Service, setting: Setting, positions: Sequence[int], *, crowd: bool) -> None:
    """Rows asked alone are answered as in the replay.

    With `crowd`, two thirds of them come in requests that meet in the service's micro-batches.
    """
    met = [position for number, position in enumerate(positions) if crowd and number % 3]
    alone = [position for number, position in enumerate(positions) if not (crowd and number % 3)]
    asked = (("alone", alone, service.predict_singly), (TOGETHER, met, service.predict_at_once))
    with Stopwatch(bench.tallies["partition"], service):
        for case, chosen, ask in asked:
            for position, answer in zip(chosen, ask(bench.rows(chosen)), strict=True):
                bench.compare("partition", setting.name(case), [position], [bench.reference[position]], [answer])


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


def features(bench: Bench, service: Service) -> None:
    """The features of the replay's rows are the recording's: a difference may hide behind an equal prediction."""
    recorded = bench.cases.feature_values
    if recorded is None:
        return
    with Stopwatch(bench.tallies["replay"], service) as tally:
        # A row that got no answer is a finding of its own already.
        answered = [position for position, answer in enumerate(bench.reference) if answer.kind == "value"]
        positions = sorted(set(bench.choose(bench.limits.features)) & set(answered))
        found = service.features_of(bench.rows(positions))
        for position, actual in zip(positions, found, strict=True):
            asked = Asked(position, bench.cases.row_id(position), bench.cases.rows[position])
            if (mismatch := feature_mismatch(bench, "replay", asked, recorded[position], actual)) is not None:
                tally.differ(mismatch)


def feature_mismatch(
    bench: Bench, kind: str, asked: Asked, recorded: Sequence[Any], actual: Sequence[Any] | None
) -> Mismatch | None:
    """The first feature of a row that differs, as a mismatch of its own; None where all agree."""
    blank = Mismatch(kind, FEATURES, "", row=asked.row, row_id=asked.row_id, request=asked.request)
    if actual is None or len(actual) != len(recorded):
        count = "no features" if actual is None else f"{len(actual)} features"
        return replace(blank, reason=f"{len(recorded)} features expected, {count} answered", output="features")
    names = bench.feature_names(len(recorded))
    for at, (name, one, other) in enumerate(zip(names, recorded, actual, strict=True)):
        found = bench.feature_difference(at, one, other)
        if found is not None:
            reason = f"the feature: {found.reason}"
            return replace(blank, reason=reason, output=name, expected=one, actual=other, difference=found.size)
    return None


def _agree(bench: Bench, one: Sequence[Answer], other: Sequence[Answer]) -> bool:
    return all(disagreement(a, b, bench.tolerance) is None for a, b in zip(one, other, strict=True))


class _Uncounted:
    """The in-process worker makes no requests."""

    requests = 0
