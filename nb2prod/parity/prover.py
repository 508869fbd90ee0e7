"""The proof: the notebook's recorded run against the built Bento over HTTP, in processes of its own."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from nb2prod.errors import InputError
from nb2prod.parity import batches, counterfactual, drawn, edges, kinds
from nb2prod.parity.bench import Bench, Limits, Setting
from nb2prod.parity.cases import Cases
from nb2prod.parity.client import Client
from nb2prod.parity.explain import explained, feature_table, read_code
from nb2prod.parity.processes import Processes
from nb2prod.parity.report import FeatureDifference, Mismatch, ParityReport, Precision, Replayed, Timing
from nb2prod.parity.service import Answer, Service
from nb2prod.parity.summary import summarised
from nb2prod.parity.target import Target
from nb2prod.progress import NoProgress, Progress
from nb2prod.runtime.equality import DEFAULT_TOLERANCE, Tolerance

_WEAK = 20
_TIMES_KEPT = 500
_PLACES = 50


@dataclass
class _Findings:
    """What the runs of a proof leave beside the tallies."""

    mismatches: list[Mismatch]
    features: tuple[FeatureDifference, ...] = ()
    times: tuple[Timing, ...] = ()
    hash_seeds: tuple[int, ...] = ()
    batching: tuple[str, ...] = ()


@dataclass
class _Run:
    """A proof under way: what it asks for, and what it has found."""

    bench: Bench
    progress: Progress
    code: str
    awaited: counterfactual.Awaited | None = None
    findings: _Findings = field(default_factory=lambda: _Findings([]))

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be asked."""
        return self.bench.limits.until_failure and any(tally.differences for tally in self.bench.tallies.values())

    def step(self, words: str, ask: Callable[[], object]) -> None:
        """Ask, unless the proof has ended."""
        if not self.ended:
            if words:
                self.progress.message(words)
            ask()


def prove(  # noqa: PLR0913 - by name, each with its default
    target: Target,
    cases: Cases,
    *,
    tolerance: float | Tolerance | None = None,
    progress: Progress | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    processes: Processes | None = None,
    awaited: counterfactual.Awaited | None = None,
) -> ParityReport:
    """Prove that the target answers as the notebook did.

    A Bento's folder is served twice, under two hash seeds, with batching on and off, and run once without
    HTTP under a third; a URL is asked as it is, so what needs the Bento's own processes is left out and
    the report says so. The same `seed` asks the same requests. `processes` of the same folder are used and
    left running; by default the proof has its own. `awaited` are runs of the notebook with other values in some rows,
    which go on meanwhile: what they find takes the place of what the cases hold of this kind.

    A difference is no exception: the report tells, `passed` is False. Raises `ServiceFault` (an
    `EnvironmentProblem`) where the service does not start, hangs, dies, or answers what is no answer, and
    `InputError` where the cases hold no rows or the target is none of nb2prod's. No server is left behind.
    """
    if not cases.rows:
        raise InputError("the parity cases hold no rows: there is nothing to prove with", "Build the notebook again.")
    allowed = tolerance if isinstance(tolerance, Tolerance) else Tolerance(tolerance)
    started = time.perf_counter()
    bench = Bench(cases, target.signature(), tolerance=allowed, seed=seed, limits=limits or Limits())
    run = _Run(bench, progress or NoProgress(), read_code(target.folder), awaited)
    if target.folder is None:
        _prove_url(target, run)
    else:
        _prove_folder(target, target.folder, run, processes)
    return _report(target, cases, bench, run.findings, time.perf_counter() - started)


def hash_seeds(seed: int) -> tuple[int, int, int]:
    """Three values of PYTHONHASHSEED: of the first server, the second, and the process without HTTP."""
    rng = random.Random(seed)  # noqa: S311 - the same requests for the same seed
    first, second, third = rng.sample(range(1, 1_000_000), 3)
    return first, second, third


def _prove_folder(target: Target, folder: Path, run: _Run, given: Processes | None) -> None:
    with contextlib.ExitStack() as stack:
        own = given is None
        processes = given or stack.enter_context(Processes(folder, hash_seeds(run.bench.seed), target.environment))
        first, second, _ = processes.seeds
        run.progress.message(f"starting {target.name} on its own, hash seed {first}")
        service = Service(processes.first().client, run.progress.message)
        second_server = run.bench.limits.second_server
        if own and second_server and not run.bench.limits.until_failure:
            # The others get ready while the first is asked: starting takes seconds.
            processes.begin()
        _ask_all(run, service, Setting(f"hash seed {first}"))
        _ask_inside(run, service, processes)
        if second_server and not run.ended:
            if own:
                processes.first().stop()
            run.progress.message(f"again row by row, hash seed {second}")
            setting = Setting(f"row by row, hash seed {second}")
            again = Service(processes.second().client, run.progress.message)
            _ask_again(run, again, setting)
            # Last, since the notebook is still being run meanwhile.
            _ask_changed(run, again, setting)
        run.findings.hash_seeds = processes.seeds if second_server else (first, processes.seeds[2])
        run.findings.batching = ("on", "off") if second_server else ("on",)


def _prove_url(target: Target, run: _Run) -> None:
    client = Client(target.url or "", headers=target.headers)
    try:
        service = Service(client, run.progress.message)
        _ask_all(run, service, Setting())
        _ask_changed(run, service, Setting())
    finally:
        client.close()
    run.findings.mismatches += run.bench.tallies["target-free"].kept
    run.bench.tallies["wire"].notes.append("needs the Bento's folder: the URL's code can't be run without HTTP")
    run.bench.tallies["target-free"].notes.append("with the target's values unchanged: that needs the Bento's folder")


def _ask_all(run: _Run, service: Service, setting: Setting) -> None:
    """All that one running service can be asked."""
    bench = run.bench
    rows, odd = len(bench.cases.rows), len(bench.cases.edges)
    run.step(f"replay: {rows:,} rows", lambda: kinds.replay(bench, service))
    run.step("", lambda: kinds.features(bench, service))
    run.step("", lambda: kinds.fallback(bench, service))
    run.step(
        f"partition: {len(bench.singles)} rows alone, {len(bench.pool):,} in other company",
        lambda: kinds.singles(bench, service, setting, bench.singles, crowd=bench.signature.batching),
    )
    run.step("", lambda: kinds.partition(bench, service, setting, _batches(bench)))
    if odd:
        run.step(f"edges: {odd}", lambda: edges.ask(bench, service, setting, range(odd)))
        run.step("", lambda: edges.features(bench, service))
    run.step("", lambda: kinds.foreign_fields(bench, service))
    run.findings.times = tuple(service.times[:: max(1, len(service.times) // _TIMES_KEPT)])
    run.findings.features = feature_table(bench, service)
    for kind in ("replay", "partition", "edges"):
        run.findings.mismatches += explained(bench, service, bench.tallies[kind].kept, run.code)


def _ask_inside(run: _Run, service: Service, processes: Processes) -> None:
    """What needs the Bento's code without HTTP."""
    bench = run.bench
    run.step("without HTTP: the wire", lambda: kinds.wire(bench, service, processes.worker()))
    run.step(
        f"rows drawn from the signature: {bench.limits.drawn} requests",
        lambda: drawn.ask(bench, service, processes.worker()),
    )
    run.step("without HTTP: the target's values", lambda: kinds.phantoms(bench, processes.worker()))
    run.findings.mismatches += explained(bench, service, bench.tallies["wire"].kept, run.code)
    run.findings.mismatches += bench.tallies["target-free"].kept


def _ask_again(run: _Run, service: Service, setting: Setting) -> None:
    """The second server: what another hash seed and working row by row could change."""
    bench = run.bench
    before = {kind: len(bench.tallies[kind].kept) for kind in ("partition", "edges")}
    kinds.singles(bench, service, setting, bench.choose(bench.limits.again), crowd=False)
    kinds.partition(bench, service, setting, list(batches.row_by_row(bench.choose(bench.limits.row_by_row))))
    edges.ask(bench, service, setting, edges.again(bench))
    for kind, count in before.items():
        run.findings.mismatches += explained(bench, service, bench.tallies[kind].kept[count:], run.code)


def _ask_changed(run: _Run, service: Service, setting: Setting) -> None:
    """The rows that were given other values, once the notebook has been run with them."""
    if run.ended:
        return
    bench = run.bench
    if run.awaited is not None:
        run.progress.message("waiting for the notebook, which runs again with other values in some rows")
        bench.cases = replace(bench.cases, counterfactual=run.awaited.found())
    found = bench.cases.counterfactual
    words = f"counterfactual: {len(found.rows)} rows" if found is not None and found.rows else ""
    run.step(words, lambda: counterfactual.ask(bench, service, setting, run.awaited))
    run.findings.mismatches += explained(bench, service, bench.tallies[counterfactual.KIND].kept, run.code)


def _batches(bench: Bench) -> list[batches.Batch]:
    if bench.signature.batching:
        return list(batches.batches(bench.cases.rows, bench.pool, bench.seed))
    return list(batches.row_by_row(bench.pool))


def _report(target: Target, cases: Cases, bench: Bench, findings: _Findings, seconds: float) -> ParityReport:
    results = tuple(tally.result() for tally in bench.tallies.values())
    failed = any(item.status == "failed" for item in results)
    shown = bench.cases
    return ParityReport(
        passed=not failed,
        notebook=cases.notebook,
        prediction=cases.prediction,
        target=target.name,
        bento=target.bento,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        seed=bench.seed,
        hash_seeds=findings.hash_seeds,
        batching=findings.batching,
        batching_licensed=bench.signature.batching,
        tolerance=DEFAULT_TOLERANCE if bench.tolerance.relative is None else bench.tolerance.relative,
        loosened=bench.tolerance.loosened,
        kinds=results,
        mismatches=tuple(findings.mismatches),
        notes=tuple(_notes(target, cases, bench)),
        replay=Replayed(
            tuple(shown.row_id(i) for i in range(len(shown.rows))),
            shown.expected,
            tuple(_value(answer) for answer in bench.reference),
            bench.differing,
        ),
        features=findings.features,
        times=findings.times,
        precision=tuple(_precision(bench)),
        sample=bench.limits.sample,
        summary_text=summarised(results, target, cases, bench),
    )


def _precision(bench: Bench) -> Iterator[Precision]:
    """How closely each output's numbers were compared; the entries of a vector only where they are few."""
    stated, output = bench.tolerance, bench.cases.prediction
    for place, measure in list(stated.measured.items())[:_PLACES]:
        inside = place.startswith("[") or not place
        allowed = stated.of(output if inside else place, place)
        name = f"{output}{place}" if inside else place
        yield Precision(name, measure.dtype, allowed.relative, allowed.absolute, measure.noise)


def _noted(found: Sequence[Precision]) -> Iterator[str]:
    """What a reader should know of how numbers were compared: another float than usual, and a path that differs from itself."""
    for dtype in sorted({item.dtype for item in found if item.dtype != "float64"}):
        names = [item.output for item in found if item.dtype == dtype]
        relative = max(item.relative for item in found if item.dtype == dtype)
        yield f"{_listed(names)}: held by a {dtype}, compared within a relative {relative:g}."
    noisy = [item for item in found if item.noise]
    if noisy:
        largest = max(item.noise for item in noisy)
        names = [item.output for item in noisy]
        yield f"{_listed(names)}: asked twice for the same rows, the notebook's own path differed by up to {largest:.2g}; nothing is compared more closely."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _value(answer: Answer) -> object:
    return answer.value if answer.kind == "value" else None


def _notes(target: Target, cases: Cases, bench: Bench) -> Iterator[str]:
    if bench.limits.sample:
        yield (
            "Only a sample was asked (build --quick): fewer rows of each kind, and no second server under another hash seed. "
            "The command nb2prod parity proves the whole; before that the release can't be deployed."
        )
    if len(cases.rows) < _WEAK:
        yield f"The replay is weak: the notebook predicted {len(cases.rows)} rows, fewer than {_WEAK}."
    if len(bench.cases.rows) < len(cases.rows):
        yield (
            f"Replayed {len(bench.cases.rows):,} of the {len(cases.rows):,} rows that the notebook predicted, "
            "chosen to hold every pattern of missing values, the extremes and the categories."
        )
    for output, value in bench.tolerance.loosened.items():
        where = f" for {output}" if output else ""
        yield f"The tolerance{where} was loosened to {value:g} (by default {DEFAULT_TOLERANCE:g}, relative)."
    yield from _noted(tuple(_precision(bench)))
    if not bench.signature.batching:
        yield "The service answers the rows of a request one by one, so that they can't influence each other."
    found = bench.cases.counterfactual
    if found is not None and found.missing:
        yield f"No counterfactual rows: {found.missing}."
    if target.folder is None:
        yield "A running service was asked as it is: other hash seeds, batching and the wire were not tested."
