"""The stress test of a release: its Bento served as a proof does, asked altered rows, and by many callers at a time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nb2prod import room
from nb2prod.bento import store
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.evaluation import outcomes, slices
from nb2prod.evaluation.intervals import measured
from nb2prod.evaluation.measures import measures
from nb2prod.evaluation.outcomes import Outcomes
from nb2prod.evaluation.sample import samples
from nb2prod.evaluation.stress import FILE, Ageing, Answered, Baseline, Load, StressReport, effect, loss_name
from nb2prod.parity import cases
from nb2prod.parity.cases import Cases
from nb2prod.parity.client import Client
from nb2prod.parity.server import Server
from nb2prod.parity.service import Answer, Service
from nb2prod.progress import NoProgress, Progress
from nb2prod.release import records
from nb2prod.release.record import OUTCOMES, ReleaseRecord
from nb2prod.runtime.options import Options
from nb2prod.runtime.signature import Signature
from nb2prod.stress.changes import changes

ROWS = 300
MANY = 16
"""Callers at a time."""
_REQUESTS, _FIRST = 320, 20
_NEWEST = 0.1


def stress(name_or_tag: str, progress: Progress | None = None) -> StressReport:
    """Put a release (name, its newest; or name:version) under stress, and keep the report in its record.

    Raises `InputError` where there is no such release or its rows are gone, `EnvironmentProblem` where its Bento can't be served or the report can't be written.
    """
    progress = progress or NoProgress()
    release = records.find(name_or_tag)
    bento = store.find(release.bento).folder
    source = bento / "src"
    signature = Signature.load(source / "signature.json")
    reference = json.loads((source / "reference.json").read_text(encoding="utf-8"))
    known = cases.read(release.path("cases.json"))
    positions = _spread(len(known.rows))
    rows = [known.rows[at] for at in positions]
    truth = _truth(release)
    progress.stage("starting the service")
    with Server(bento, hash_seed=0) as server:
        service = Service(server.client, progress.message)
        progress.stage("altered rows")
        base = _baseline(release, known, positions, [_answered(item) for item in service.predict_batches(rows)], truth)
        effects = []
        for item in changes(rows, signature, reference):
            if item.chosen:
                answers = [_answered(found) for found in service.predict_batches(item.rows)]
                effects.append(effect(item.kind, item.field, item.chosen, answers, base))
        progress.stage("latency")
        load = (_load(server.client, rows, 1), _load(server.client, rows, MANY))
    report = StressReport(
        release.bento,
        dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        len(rows),
        loss_name(base),
        tuple(effects),
        _ageing(known, truth, reference),
        load,
        1000 * Options.load(source / "options.json").latency_budget,
    )
    _keep(release, report)
    return report


def _spread(count: int) -> list[int]:
    """Positions of at most `ROWS` rows, evenly over all."""
    return sorted(set(np.linspace(0, count - 1, min(count, ROWS)).round().astype(int).tolist()))


def _answered(item: Answer) -> Answered:
    return Answered(item.value, item.kind == "refused", item.kind in ("error", "broken"))


def _truth(release: ReleaseRecord) -> Outcomes | None:
    """What is true of held-out rows; None where that is not known."""
    try:
        found = outcomes.from_json(json.loads(release.path(OUTCOMES).read_text(encoding="utf-8")))
    except (InputError, OSError, ValueError, TypeError):
        return None
    return None if found.reason is not None or found.kind == "training" else found


def _baseline(
    release: ReleaseRecord, known: Cases, positions: Sequence[int], answers: list[Answered], truth: Outcomes | None
) -> Baseline:
    at = {} if truth is None else {row: place for place, row in enumerate(truth.row_ids)}
    ids = [known.row_id(position) for position in positions]
    places = [None if row is None else at.get(row) for row in ids]
    mine = None
    if truth is not None and all(place is not None for place in places):
        kept = [place for place in places if place is not None]
        mine = replace(
            truth,
            row_ids=tuple(truth.row_ids[place] for place in kept),
            keys=tuple(truth.keys[place] for place in kept),
            predictions=tuple(truth.predictions[place] for place in kept),
            truth=tuple(truth.truth[place] for place in kept),
            scores=None,
            scores_from=None,
        )
    parts = slices.cut([known.rows[position] for position in positions])
    task = "" if truth is None else next((item.task for item in samples(truth, known.prediction).outputs), "")
    scalar = not isinstance(known.expected[0], (list, dict))
    classes = scalar and task in ("binary", "multiclass") and not isinstance(known.expected[0], float)
    tolerance = records.tolerance(release, known)
    return Baseline(tuple(answers), mine, parts, tolerance, known.prediction, classes)


def _load(client: Client, rows: Sequence[Mapping[str, Any]], callers: int) -> Load:
    """`_REQUESTS` requests of one row by so many callers, each with a connection of its own; the first ones of each are not counted."""

    def ask(caller: int) -> list[tuple[float, bool]]:
        replies = [
            client.post("/predict", {"rows": [rows[(caller + at) % len(rows)]]})
            for at in range(_FIRST + _REQUESTS // callers)
        ]
        return [(reply.seconds, reply.status != 200) for reply in replies[_FIRST:]]

    with ThreadPoolExecutor(callers) as pool:
        found = [item for part in pool.map(ask, range(callers)) for item in part]
    taken = np.asarray([seconds for seconds, _ in found]) * 1000
    return Load(
        callers,
        len(found),
        round(float(np.quantile(taken, 0.5)), 2),
        round(float(np.quantile(taken, 0.99)), 2),
        sum(bad for _, bad in found),
    )


def _ageing(known: Cases, truth: Outcomes | None, reference: Mapping[str, Any]) -> Ageing:
    time = str(reference.get("time") or "")
    if not time:
        return Ageing(reason="the raw table has no time by which rows could be told apart")
    if truth is None:
        return Ageing(time, reason="what is true of held-out rows is not known")
    requests = dict(zip(known.row_ids, known.rows, strict=False))
    moments = [requests.get(row, {}).get(time) for row in truth.row_ids]
    dated = [at for at, moment in enumerate(moments) if isinstance(moment, str)]
    if len(dated) < slices.SMALL / _NEWEST:
        why = f"{len(dated)} held-out rows have one" if dated else "it is no field of a request"
        return Ageing(time, reason=f"too little is known of {time}: {why}")
    order = sorted(dated, key=lambda at: str(moments[at]))
    newest = set(order[-round(len(order) * _NEWEST) :])
    outputs = samples(truth, known.prediction).outputs
    if len(outputs) != 1:
        return Ageing(time, reason="the predictions are of a form that no usual metric measures")
    sample = outputs[0]
    is_new = np.asarray([int(at) in newest for at in sample.positions])
    is_dated = np.asarray([int(at) in set(order) for at in sample.positions])
    first = measures(sample)[:1]
    (new,), (old,) = (measured(sample.take(mask), first) for mask in (is_new, is_dated & ~is_new))
    return Ageing(time, new.name, int(is_new.sum()), new.value, new.low, new.high, old.value)


def _keep(release: ReleaseRecord, report: StressReport) -> None:
    target = (release.folder or Path()) / FILE
    scratch = target.with_suffix(".part")
    try:
        scratch.write_text(json.dumps(report.to_json(), indent=1), encoding="utf-8")
        scratch.replace(target)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise EnvironmentProblem(
            f"the report can't be kept in {target}: {room.reason(error)}", "Free some room there."
        ) from error
