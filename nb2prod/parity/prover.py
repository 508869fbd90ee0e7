"""The proof: the notebook's recorded run against the built Bento over HTTP, in processes of its own."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from nb2prod.errors import InputError
from nb2prod.parity import batches, drawn, edges, kinds
from nb2prod.parity.bench import Bench, Limits, Setting
from nb2prod.parity.cases import Cases
from nb2prod.parity.client import Client
from nb2prod.parity.equality import DEFAULT_TOLERANCE, Tolerance
from nb2prod.parity.explain import explained, feature_table, read_code
from nb2prod.parity.inprocess import Worker
from nb2prod.parity.report import FeatureDifference, Mismatch, ParityReport, Replayed, Timing
from nb2prod.parity.server import Server
from nb2prod.parity.service import Answer, Service
from nb2prod.parity.target import Target
from nb2prod.progress import NoProgress, Progress
from nb2prod.runtime.signature import Signature

_WEAK = 20
_TIMES_KEPT = 500


@dataclass
class _Findings:
    """What the runs of a proof leave beside the tallies."""

    mismatches: list[Mismatch]
    features: tuple[FeatureDifference, ...] = ()
    times: tuple[Timing, ...] = ()
    hash_seeds: tuple[int, ...] = ()
    batching: tuple[str, ...] = ()


def prove(
    target: Target,
    cases: Cases,
    *,
    tolerance: float | Tolerance = DEFAULT_TOLERANCE,
    progress: Progress | None = None,
    signature: Signature | None = None,
    seed: int = 0,
    limits: Limits | None = None,
) -> ParityReport:
    """Prove that the target answers as the notebook did.

    A Bento's folder is served twice, under two hash seeds, with batching on and off, and run once without
    HTTP under a third; a URL is asked as it is, so what needs the Bento's own processes is left out and
    the report says so. `signature` is by default the target's own. The same `seed` asks the same requests.

    A difference is no exception: the report tells, `passed` is False. Raises `ServiceFault` (an
    `EnvironmentProblem`) where the service does not start, hangs, dies, or answers what is no answer, and
    `InputError` where the cases hold no rows or the target is none of nb2prod's. No server is left behind.
    """
    if not cases.rows:
        raise InputError("the parity cases hold no rows: there is nothing to prove with", "Build the notebook again.")
    allowed = tolerance if isinstance(tolerance, Tolerance) else Tolerance(tolerance)
    started = time.perf_counter()
    signature = signature or target.signature()
    bench = Bench(cases, signature, tolerance=allowed, seed=seed, limits=limits or Limits())
    told = progress or NoProgress()
    findings = (_prove_url if target.folder is None else _prove_folder)(target, bench, told)
    return _report(target, cases, bench, findings, time.perf_counter() - started)


def hash_seeds(seed: int) -> tuple[int, int, int]:
    """Three values of PYTHONHASHSEED: of the first server, the second, and the process without HTTP."""
    rng = random.Random(seed)  # noqa: S311 - the same requests for the same seed
    first, second, third = rng.sample(range(1, 1_000_000), 3)
    return first, second, third


def _prove_folder(target: Target, bench: Bench, progress: Progress) -> _Findings:
    assert target.folder is not None
    first, second, third = hash_seeds(bench.seed)
    code = read_code(target.folder)
    with contextlib.ExitStack() as stack:
        progress.message(f"starting {target.name} on its own, hash seed {first}")
        server = stack.enter_context(Server(target.folder, hash_seed=first))
        other = Server(target.folder, hash_seed=second, batching=False)
        stack.push(other.__exit__)
        worker = stack.enter_context(Worker(target.folder, hash_seed=third))
        # The second one gets ready while the first is asked: starting takes seconds.
        other.start()
        service = Service(server.client)
        findings = _ask_all(bench, service, progress, Setting(f"hash seed {first}"), code)
        progress.message("without HTTP: wire and target-free")
        kinds.wire(bench, service, worker)
        progress.message(f"rows drawn from the signature: {bench.limits.drawn} requests")
        drawn.ask(bench, service, worker)
        kinds.phantoms(bench, worker)
        findings.mismatches += explained(bench, service, bench.tallies["wire"].kept, code)
        findings.mismatches += bench.tallies["target-free"].kept
        server.stop()
        progress.message(f"again row by row, hash seed {second}")
        other.wait()
        _ask_again(bench, Service(other.client), Setting(f"row by row, hash seed {second}"), findings, code)
    findings.hash_seeds = (first, second, third)
    findings.batching = ("on", "off")
    return findings


def _prove_url(target: Target, bench: Bench, progress: Progress) -> _Findings:
    client = Client(target.url or "", headers=target.headers)
    try:
        service = Service(client)
        findings = _ask_all(bench, service, progress, Setting(), "")
        findings.mismatches += bench.tallies["target-free"].kept
    finally:
        client.close()
    bench.tallies["wire"].notes.append("needs the Bento's folder: the URL's code can't be run without HTTP")
    bench.tallies["target-free"].notes.append("with the target's values unchanged: that needs the Bento's folder")
    return findings


def _ask_all(bench: Bench, service: Service, progress: Progress, setting: Setting, code: str) -> _Findings:
    """All that one running service can be asked."""
    rows = len(bench.cases.rows)
    progress.message(f"replay: {rows:,} rows")
    kinds.replay(bench, service)
    kinds.features(bench, service)
    progress.message(f"partition: {len(bench.singles)} rows alone, {len(bench.pool):,} in other company")
    kinds.singles(bench, service, setting, bench.singles)
    kinds.partition(bench, service, setting, _batches(bench))
    if bench.cases.edges:
        progress.message(f"edges: {len(bench.cases.edges)}")
        edges.ask(bench, service, setting, range(len(bench.cases.edges)))
        edges.features(bench, service)
    kinds.foreign_fields(bench, service)
    times = tuple(service.times[:: max(1, len(service.times) // _TIMES_KEPT)])
    findings = _Findings([], feature_table(bench, service), times)
    for kind in ("replay", "partition", "edges"):
        findings.mismatches += explained(bench, service, bench.tallies[kind].kept, code)
    return findings


def _batches(bench: Bench) -> list[batches.Batch]:
    if bench.signature.batching:
        return list(batches.batches(bench.cases.rows, bench.pool, bench.seed))
    return list(batches.row_by_row(bench.pool))


def _ask_again(bench: Bench, service: Service, setting: Setting, findings: _Findings, code: str) -> None:
    """The second server: what another hash seed and working row by row could change."""
    before = {kind: len(bench.tallies[kind].kept) for kind in ("partition", "edges")}
    kinds.singles(bench, service, setting, bench.choose(bench.limits.again))
    kinds.partition(bench, service, setting, list(batches.row_by_row(bench.choose(bench.limits.row_by_row))))
    edges.ask(bench, service, setting, edges.again(bench))
    for kind, count in before.items():
        findings.mismatches += explained(bench, service, bench.tallies[kind].kept[count:], code)


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
        tolerance=bench.tolerance.relative,
        loosened=bench.tolerance.loosened,
        kinds=results,
        mismatches=tuple(findings.mismatches),
        notes=tuple(_notes(target, cases, bench)),
        replay=Replayed(
            tuple(shown.row_id(i) for i in range(len(shown.rows))),
            shown.expected,
            tuple(_value(answer) for answer in bench.reference),
        ),
        features=findings.features,
        times=findings.times,
    )


def _value(answer: Answer) -> object:
    return answer.value if answer.kind == "value" else None


def _notes(target: Target, cases: Cases, bench: Bench) -> Iterator[str]:
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
    if not bench.signature.batching:
        yield "Batching is not licensed: the service works row by row, so neighbours can't meet."
    if cases.edges:
        yield "Edges prove the generated code and its transport; the replay alone proves the values kept from training."
    if target.folder is None:
        yield "A running service was asked as it is: other hash seeds, batching and the wire were not tested."
