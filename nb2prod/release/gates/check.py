"""Hold a release against its gates: what is wanted, what was found with its interval, and whether it passes.

Three outcomes. `passed`; `failed`; `undecided` where what is there can't tell (too few rows, nothing measured), which does not pass either: a gate that
waves through what it can't see is none.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nb2prod import config
from nb2prod.bento import store
from nb2prod.criteria import Criterion, criterion
from nb2prod.errors import EnvironmentProblem, InputError
from nb2prod.evaluation import comparison, intervals, measures
from nb2prod.evaluation.comparison import PairedMetric
from nb2prod.evaluation.evaluation import Evaluation, OutputEvaluation
from nb2prod.parity import cases
from nb2prod.release import differences, records, source
from nb2prod.release.gates import in_image, latency
from nb2prod.release.gates.result import GateResult, Outcome, judged, undecided
from nb2prod.release.gates.stressed import LOADED, NEWEST, UNANSWERED, under_stress
from nb2prod.release.record import ReleaseRecord
from nb2prod.release.running.ledger import placed

PARITY, CHANGED, IMAGE = "parity", "changed_answers", "image_mb"
LATENCIES = {"p50_ms": 0.5, "p99_ms": 0.99}
WORST, PAIRED = "worst_slice.", "vs_live."
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Stated:
    """The gates of a release, and the environments that it moves through with theirs; `where` says who states them."""

    gates: tuple[Criterion, ...]
    environments: dict[str, tuple[Criterion, ...]]
    where: str


@dataclass(frozen=True)
class GateReport:
    """All gates of a release. `against`: the release that it was compared with, if any."""

    release: str
    against: str | None
    environment: str | None
    where: str
    results: tuple[GateResult, ...]

    @property
    def passed(self) -> bool:
        """Whether every gate was passed."""
        return not self.stopped

    @property
    def stopped(self) -> tuple[GateResult, ...]:
        """The gates that were not passed."""
        return tuple(item for item in self.results if item.outcome != "passed")

    def to_json(self) -> dict[str, Any]:
        """The document of `gate --json`."""
        return {**asdict(self), "passed": self.passed}


def stated(release: ReleaseRecord) -> Stated:
    """What `nb2prod.toml` beside the notebook says now, or where that is not on this machine, what it said at the build.

    Raises `InputError` for a file that can't be read, or a gate that there is not.
    """
    place = source.origin(release.folder or Path())
    if place is not None and place.is_file():
        options = config.load(place)
        where = f"{place.parent / config.FILE_NAME}"
        gates, environments = options.gates, options.environments
    else:
        where, gates, environments = "nb2prod.toml at its build", release.gates, release.environments
    named = {name: _criteria(table, f"{where}: {name}") for name, table in environments.items()}
    return Stated(_criteria(gates, where), named, where)


def check(
    release: ReleaseRecord,
    against: ReleaseRecord | None,
    environment: str | None = None,
    image: in_image.Image | None = None,
) -> GateReport:
    """Hold the release against its gates, and against those of the environment, of which one of the same name holds.

    `against` is what it would replace. With an `image` its container is proved, and asked for its latency. Raises as `stated`, `InputError` for an environment that is not
    stated, and `EnvironmentProblem` where the image can't be run.
    """
    found = stated(release)
    wanted = {item.name: item for item in found.gates}
    if environment is not None:
        wanted |= {item.name: item for item in found.environments.get(environment, ())}
    if image is not None:
        wanted.setdefault(PARITY, Criterion(PARITY))
    finder = _Finder(release, against, image)
    results = tuple(finder.result(item) for item in wanted.values())
    return GateReport(release.bento, None if against is None else against.bento, environment, found.where, results)


def live(name: str, release: str | None = None) -> ReleaseRecord | None:
    """The release that the deployment of this name serves, of a model called the same or `release`; None where there is none, or its record is gone."""
    found = placed(name)
    if found is None or found.live is None or found.release != (release or name):
        return None
    with suppress(InputError):
        return records.find(f"{found.release}:{found.live}")
    return None


def _criteria(table: Any, where: str) -> tuple[Criterion, ...]:
    made = tuple(criterion(name, value, where) for name, value in table.items())
    for item in made:
        _check_name(item.name, where)
    return made


def _check_name(name: str, where: str) -> None:
    own = [PARITY, CHANGED, IMAGE, UNANSWERED, LOADED, *LATENCIES]
    metric = name.removeprefix(WORST).removeprefix(PAIRED).removeprefix(NEWEST).rpartition(".")[2]
    if name in own or metric in measures.BY_NAME:
        return
    known = [*own, *measures.BY_NAME]
    near = difflib.get_close_matches(metric, known, n=1, cutoff=0.6)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise InputError(
        f"{where}: there is no gate {name!r}",
        f"{hint}Gates: {', '.join(known)}; worst_slice.METRIC, newest.METRIC and vs_live.METRIC.",
    )


class _Finder:
    """What is found of one release; what several gates need is worked out once."""

    def __init__(
        self, release: ReleaseRecord, against: ReleaseRecord | None, image: in_image.Image | None = None
    ) -> None:
        self.release = release
        self.against = against
        self.image = image

    def result(self, item: Criterion) -> GateResult:
        if item.name == PARITY:
            return self._parity(item)
        if item.name in LATENCIES:
            return self._latency(item)
        if item.name == IMAGE:
            return self._image(item)
        if item.name == CHANGED:
            return self._changed(item)
        if item.name in (UNANSWERED, LOADED) or item.name.startswith(NEWEST):
            return under_stress(item, self.release)
        if item.name.startswith(PAIRED):
            return self._paired(item)
        return self._metric(item)

    # -- each kind --

    def _parity(self, item: Criterion) -> GateResult:
        proved = bool(self.release.parity.get("passed")) and not self.release.sampled
        note = "only a sample was proved" if self.release.sampled else ""
        if self.image is not None:
            report = self._in_image.report
            proved = proved and report.passed
            note = note or f"{sum(item.rows for item in report.kinds):,} answers of its container compared"
        return GateResult(item.name, item.wanted, "passed" if proved else "failed", float(proved), note=note)

    def _latency(self, item: Criterion) -> GateResult:
        value, low, high = (1000 * part for part in latency.percentile(self._seconds, LATENCIES[item.name]))
        where = "this machine" if self.image is None else "its container on this machine"
        return judged(item, value, low, high, f"{latency.REQUESTS} requests of one row, one caller, {where}")

    def _image(self, item: Criterion) -> GateResult:
        from nb2prod.release.images import engine

        try:
            known = engine.find().image(self.release.bento)
        except EnvironmentProblem as error:
            return undecided(item, error.message)
        if known is None or not isinstance(known.get("Size"), int):
            return undecided(item, f"there is no image: nb2prod containerize {self.release.bento}")
        return judged(item, known["Size"] / _MEGABYTE)

    def _changed(self, item: Criterion) -> GateResult:
        first = self._first(item)
        if first is not None:
            return first
        assert self.against is not None
        found = differences.answers(self.against, self.release)
        if found is None or not found.rows:
            return undecided(item, f"there is no row that {self.against.bento} predicted too")
        span = intervals.share(found.differing, found.rows)
        note = f"{found.differing:,} of {found.rows:,} rows"
        return judged(item, found.differing / found.rows, span.low, span.high, note)

    def _metric(self, item: Criterion) -> GateResult:
        metrics = self._metrics
        if isinstance(metrics, str):
            return undecided(item, metrics)
        worst = item.name.startswith(WORST)
        output, metric, problem = _chosen(metrics.outputs, item.name.removeprefix(WORST))
        if output is None:
            return GateResult(item.name, item.wanted, "failed", note=problem)
        if worst:
            part = output.worst_slice(metric)
            if part is None:
                return undecided(item, f"no slice of 30 rows or more has a {metric}")
            found, note = part.metric(metric), f"{part.name}, {part.rows:,} rows"
        else:
            found, note = output.metric(metric), f"{output.rows:,} rows"
        if found is None or found.value is None:
            return undecided(item, found.reason if found is not None else f"there is no {metric}")
        if found.low is None and found.reason:
            note = f"{note}; no interval: {found.reason}"
        return judged(item, found.value, found.low, found.high, note)

    def _paired(self, item: Criterion) -> GateResult:
        first = self._first(item)
        if first is not None:
            return first
        found = self._comparison
        if not found.metrics:
            return undecided(item, found.reason or "nothing can be compared")
        wanted = item.name.removeprefix(PAIRED)
        known = [pair for pair in found.metrics if wanted in (pair.name, f"{pair.output}.{pair.name}")]
        if len(known) != 1:
            listed = ", ".join(sorted({pair.name for pair in found.metrics}))
            why = "several outputs have one: write output.metric" if known else f"both have: {listed}"
            return GateResult(item.name, item.wanted, "failed", note=f"no {wanted} to compare; {why}")
        return told_apart(item, known[0], found.rows)

    def _first(self, item: Criterion) -> GateResult | None:
        """What is compared with nothing, or with itself, passes: somebody has to be the first."""
        if self.against is None:
            return GateResult(item.name, item.wanted, "passed", note="nothing is live yet to compare with")
        if self.against.bento == self.release.bento:
            return GateResult(item.name, item.wanted, "passed", 0.0, note="it is the live one itself")
        return None

    # -- what several need --

    @cached_property
    def _in_image(self) -> in_image.Found:
        assert self.image is not None
        return in_image.ask(self.release, self.image)

    @cached_property
    def _seconds(self) -> Any:
        if self.image is not None:
            return self._in_image.seconds
        known = cases.read(self.release.path("cases.json"))
        return latency.seconds(store.find(self.release.bento).folder, known)

    @cached_property
    def _comparison(self) -> comparison.Comparison:
        assert self.against is not None
        return differences.metrics(self.against, self.release)

    @cached_property
    def _metrics(self) -> Evaluation | str:
        """The release's metrics, or why they can't be used."""
        with suppress(InputError):
            found = self.release.metrics()
            if found is None:
                return "it was built before metrics were kept"
            if found.reason is not None:
                return found.reason
            if found.kind == "training":
                return "it was measured only on rows that its model had learned from"
            return found
        return "its metrics can't be read"


def _chosen(outputs: Sequence[OutputEvaluation], name: str) -> tuple[OutputEvaluation | None, str, str]:
    """The output that a metric's name means, the metric alone, and what is wrong where there is none."""
    named, _, metric = name.rpartition(".")
    having = [item for item in outputs if item.metric(metric) is not None and named in ("", item.name)]
    if len(having) == 1:
        return having[0], metric, ""
    if having:
        return None, metric, f"several outputs have it: write {', '.join(f'{item.name}.{metric}' for item in having)}"
    there = sorted({found.name for item in outputs for found in item.metrics})
    return None, metric, f"this release has no {name}; it has {', '.join(there)}"


def told_apart(item: Criterion, pair: PairedMetric, rows: int) -> GateResult:
    """A difference passes where the whole interval does: what is not shown to be no worse may be worse."""
    note = f"{pair.second:.4g}, live {pair.first:.4g}, the same {rows:,} rows"
    if pair.verdict == "no difference":
        return judged(item, pair.difference, note=note)
    outcome: Outcome = "undecided"
    if rows >= comparison.FEWEST and pair.low is not None and pair.high is not None:
        ends = (pair.low, pair.high) if item.larger_is_better else (pair.high, pair.low)
        outcome = "passed" if item.met(ends[0]) else "undecided" if item.met(ends[1]) else "failed"
    if outcome == "undecided":
        note = f"too few rows to tell: {note}"
    return GateResult(item.name, item.wanted, outcome, pair.difference, pair.low, pair.high, note)
