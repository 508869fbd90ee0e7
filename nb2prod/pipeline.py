"""The whole way: notebook → recording → plan → Bento → proof → release. Everything half-made lies in a staging folder of its own."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod import durations, home, room
from nb2prod.built import BuildResult
from nb2prod.config import Options, bento_name
from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import Cancelled, InputError
from nb2prod.notebook import Notebook, read
from nb2prod.progress import NoProgress, Progress, TimedProgress

if TYPE_CHECKING:
    from nb2prod.afterwards import Afterwards
    from nb2prod.bento.build_environment import BuildEnvironment
    from nb2prod.bento.pins import Pins
    from nb2prod.environments.served import ServedEnvironment
    from nb2prod.evaluation.evaluation import Evaluation
    from nb2prod.evaluation.outcomes import Outcomes
    from nb2prod.parity.cases import Cases
    from nb2prod.parity.counterfactual import Awaited
    from nb2prod.parity.report import ParityReport
    from nb2prod.path.plan import ServingPath
    from nb2prod.path.tries import Description, Tries
    from nb2prod.runtime.options import Options as Serving


def build(path: Path, options: Options, progress: Progress | None = None, *, quick: bool = False) -> BuildResult:
    """Build and prove a Bento of the notebook at `path`; with `quick`, a sample of the proof, which does not do to deploy it.

    Raises `Refused` (the notebook can't be served as it is), `InputError`, `EnvironmentProblem`, and `Cancelled` on an interrupt; nothing is
    left half-written. A proof that fails is a result without a Bento.
    """
    from nb2prod import afterwards, early
    from nb2prod.bento import build_environment
    from nb2prod.bento.build_environment import RunKernel
    from nb2prod.environments.uv import Sources
    from nb2prod.forecast import forecast
    from nb2prod.path import path_modules, plan, planned
    from nb2prod.path.kernel import loaded_modules
    from nb2prod.path.tries import Tries
    from nb2prod.recording import record

    notebook = read(path)
    name = bento_name(notebook.path, options)
    timed = TimedProgress(progress or NoProgress(), durations.last(name))
    early.check(notebook, options, forecast(notebook, options) if options.target or options.fields else None)
    _serving(notebook, options)
    kernel_name, sources = options.kernel or notebook.kernel, Sources(options.find_links, options.offline)
    with _staging(name) as stage, contextlib.ExitStack() as besides:
        timed.stage("environment")
        expected = build_environment.before_run(notebook, kernel_name, sources)
        timed.stage("record")
        project = _begin_project(stage / "project")

        def plan_of(recording: Any, kernel: Any) -> _Packed:
            ran = RunKernel(kernel_name, Path(recording.executable), loaded_modules(kernel, recording.folder))
            environment = build_environment.after_run(notebook, ran, sources, expected)
            path_modules.link(ran.loaded, environment.kernel, recording.folder, notebook.path.parent)
            timed.stage("plan")
            tries = trial.enter_context(Tries(recording, project, environment.tried))
            serving = plan.plan(recording, kernel, options, project, timed, tries)
            told = _told(notebook, options, serving, tries)
            _begin_cases(tries, serving)
            again = _run_again(
                besides,
                serving,
                options,
                stage=stage,
                lent=environment.tried.site,
                seconds=timed.seconds["record"],
                quick=quick,
            )
            return _Packed(notebook, options, serving, told, environment, tries, again)

        with contextlib.ExitStack() as trial:
            packed = record.record(
                notebook, options, stage / "recording", timed, plan_of, expected.tried.site if expected else None
            )
            timed.stage("package")
            bento, pins = _package(packed, project, stage)
            served = packed.environment.exact(pins.requirements, sources)
            timed.stage("prove")
            serving, edges = packed.serving, packed.tries.edges()
            evaluated = _evaluate(packed)
        report, cases = _prove(_Unproved(serving, edges, packed.again), bento, served, options, timed, quick=quick)
        timed.stage("release")
        said = afterwards.compare(notebook, options, serving)
        document = _plan_document(serving, said)
        built = _Built(notebook, options, serving, bento, pins, said.diagnostics, document, stage, evaluated)
        tag, record_folder = _release(built, report, cases)
    timed.finish()
    if not quick:
        durations.keep(name, timed.seconds)
    seconds = {**timed.seconds, "total": sum(timed.seconds.values())}
    made = planned.from_json(document)
    return BuildResult(tag, said.diagnostics, made, report, seconds, record_folder, evaluated.metrics)


def _begin_project(project: Path) -> Path:
    """Make the project's folder, with the runtime in it, and return it."""
    from nb2prod.bento import project as files

    project.mkdir()
    files.copy_runtime(project / files.RUNTIME_PACKAGE)
    return project


def _run_again(
    besides: contextlib.ExitStack,
    serving: ServingPath,
    options: Options,
    *,
    stage: Path,
    lent: Path | None,
    seconds: float,
    quick: bool,
) -> Awaited:
    """Begin to run the notebook again, with other values in some rows; it ends with `besides`. The first run took `seconds`."""
    from nb2prod.counterfactual import process
    from nb2prod.counterfactual.job import FirstRun

    again = process.beside(serving, options, FirstRun(stage, lent, seconds, quick))
    besides.enter_context(again)
    return again


def _plan_document(serving: ServingPath, said: Afterwards) -> dict[str, Any]:
    """The plan as the record keeps it (plan.json): in data and in words, with what was said of the notebook."""
    from nb2prod.path import show

    hidden = [item.to_json() for item in said.suppressed]
    text = "\n\n".join(filter(None, (show.text(serving), show.suppressed_line(len(hidden)))))
    warnings = [item.to_json() for item in said.diagnostics]
    return {**serving.to_json(), "text": text, "suppressed": hidden, "diagnostics": warnings}


@contextlib.contextmanager
def _staging(name: str) -> Iterator[Path]:
    """A folder for one build, gone afterwards whatever happens. Two builds at once each have their own."""
    stage = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=home.staging()))
    try:
        yield stage
    except KeyboardInterrupt as error:
        raise Cancelled from error
    except Exception as error:
        if (full := room.problem(error, stage.parent)) is not None:
            raise full from error
        raise
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _serving(notebook: Notebook, options: Options) -> Serving:
    """The service's options; raises `InputError` where they ask for a cell that the notebook lacks."""
    from nb2prod.runtime.options import Options as Serving

    serving = Serving.from_json(options.serving)
    _check_fit(serving, [*serving.request_log_exclude], fallback=_has_fallback(notebook))
    return serving


def _check_fit(serving: Serving, fields: Collection[str], *, fallback: bool) -> None:
    from nb2prod.runtime.options import OptionProblem

    try:
        serving.check_fit(fields, fallback=fallback)
    except OptionProblem as problem:
        raise InputError(str(problem), "Mend the table 'serving' of nb2prod.toml, or the notebook.") from None


def _has_fallback(notebook: Notebook) -> bool:
    return any("fallback" in cell.tags for cell in notebook.code_cells)


@dataclass(frozen=True)
class _Told:
    """What a Bento says of itself: signature.json, and what describes its fields."""

    signature: dict[str, Any]
    fields: Description


@dataclass(frozen=True)
class _Packed:
    """What a Bento is made of, and the process that tried it, which still makes the edge cases."""

    notebook: Notebook
    options: Options
    serving: ServingPath
    told: _Told
    environment: BuildEnvironment
    tries: Tries
    again: Awaited


def _told(notebook: Notebook, options: Options, serving: ServingPath, tries: Tries) -> _Told:
    """Have the fields described, and example requests made that the service answers."""
    signature = {**serving.signature, "model": {"name": bento_name(notebook.path, options)}}
    snapshot = serving.recording.snapshots.get(serving.prediction.snapshot, {})
    own_class = str(snapshot.get("type", "")).startswith("__main__")
    described = tries.describe(signature, serving.signature["prediction"]["name"], own_class=own_class)
    return _Told(signature, described)


def _begin_cases(tries: Tries, serving: ServingPath) -> None:
    """Have edge cases made, and what was true of the predicted rows found: that takes time, and the Bento can be packaged meanwhile."""
    tries.begin_edges()
    if serving.outcomes.reason is None:
        tries.begin_outcomes(serving.outcomes.to_json())


def _package(packed: _Packed, project: Path, stage: Path) -> tuple[Path, Pins]:
    from nb2prod.bento import imports, staging
    from nb2prod.bento import project as files
    from nb2prod.path import path_modules

    notebook, options, serving, told = packed.notebook, packed.options, packed.serving, packed.told
    name = bento_name(notebook.path, options)
    served = _serving(notebook, options)
    _check_fit(served, serving.fields, fallback=_has_fallback(notebook))
    local = imports.local_modules(
        _imported(serving) | imports.of_artifacts(project / "artifacts"),
        (notebook.path.parent, path_modules.linked(serving.recording.folder)),
        packed.environment.kernel,
    )
    files.write(
        project,
        files.ProjectFiles(
            serving.composition.features,
            serving.composition.predict,
            told.signature,
            told.fields.reference,
            told.fields.examples,
            served.to_json(),
            local,
            serving.fallback.source if serving.fallback else None,
        ),
    )
    about = {"nb2prod.notebook": notebook.name, "nb2prod.owner": options.owner, "nb2prod.runbook": options.runbook}
    labels = {key: value for key, value in about.items() if value}
    request = staging.Request(name, labels, told.fields.loaded, told.fields.loose)
    staged = staging.stage(project, request, environment=packed.environment.installed(), store=stage / "bentos")
    return staged.folder, staged.pins


def _imported(serving: ServingPath) -> frozenset[str]:
    """The modules that the generated code imports."""
    rules = serving.fallback.composition.imports if serving.fallback else frozenset()
    return serving.composition.imports | rules


@dataclass(frozen=True)
class _Unproved:
    """What is to be proved: the plan, the edge cases, and the runs with other values that go on meanwhile."""

    serving: ServingPath
    edges: list[dict[str, Any]]
    again: Awaited


def _prove(
    unproved: _Unproved,
    bento: Path,
    environment: ServedEnvironment,
    options: Options,
    progress: Progress,
    *,
    quick: bool,
) -> tuple[ParityReport, Cases]:
    from nb2prod.parity import bench, cases, prover, target
    from nb2prod.parity.cases import tolerance_of

    serving = unproved.serving
    found = serving.cases
    known = cases.from_json(
        {
            "schema": cases.SCHEMA,
            "notebook": serving.recording.notebook.name,
            "prediction": serving.signature["prediction"]["name"],
            "replay": {"rows": found["rows"], "expected": found["expected"], "row_ids": found["row_ids"]},
            "fallback": found.get("fallback"),
            "phantoms": found["phantoms"],
            "edges": [_edge(edge) for edge in unproved.edges],
            "features": {
                "names": serving.signature["features"]["names"],
                "values": _feature_rows(found["given"]),
                "made_by": found["made_by"],
                "unread": found["unread"],
            },
            "precision": _precision(found["precision"], serving.signature["features"]["names"]),
        },
        "the recorded cases",
    )
    where = target.of_folder(bento, f"{bento.parent.name}:{bento.name}", environment)
    allowed = tolerance_of(known, options.tolerance, options.tolerances)
    limits = bench.SAMPLE if quick else None
    report = prover.prove(where, known, tolerance=allowed, progress=progress, limits=limits, awaited=unproved.again)
    return report, replace(known, counterfactual=unproved.again.found())


def _feature_rows(given: list[Any] | None) -> list[list[Any]] | None:
    """The recorded features by position; None where a row of them is a single value."""
    if given is None:
        return None
    rows = [list(row.values()) if isinstance(row, dict) else row for row in given]
    return rows if all(isinstance(row, list) for row in rows) else None


def _precision(measured: dict[str, dict[str, Any]], names: list[str] | None) -> dict[str, dict[str, Any]]:
    """What was measured of answers and features; a feature's place is its position."""
    at = {name: f"[{position}]" for position, name in enumerate(names or ())}
    return {
        "answers": measured["answers"],
        "features": {at.get(place, place): item for place, item in measured["features"].items()},
    }


def _edge(edge: dict[str, Any]) -> dict[str, Any]:
    """An edge case with its features by position; without them where they are a single value."""
    made = _feature_rows([edge["features"]]) if "features" in edge else None
    return {
        **{key: value for key, value in edge.items() if key != "features"},
        **({"features": made[0]} if made else {}),
    }


@dataclass(frozen=True)
class _Evaluated:
    """What was true of the predicted rows, and the metrics that follow from it."""

    outcomes: Outcomes
    metrics: Evaluation


def _evaluate(packed: _Packed) -> _Evaluated:
    """Measure what was found of the predicted rows; to be asked after the edge cases."""
    from nb2prod.evaluation import evaluation, outcomes

    asked = packed.serving.outcomes
    known = packed.tries.outcomes() if asked.reason is None else {"reason": asked.reason}
    measured = outcomes.from_json(known)
    return _Evaluated(measured, evaluation.evaluate(measured, packed.serving.signature["prediction"]["name"]))


@dataclass(frozen=True)
class _Built:
    """A packaged Bento with all that its release says of it."""

    notebook: Notebook
    options: Options
    serving: ServingPath
    bento: Path
    pins: Pins
    warnings: tuple[Diagnostic, ...]
    plan: dict[str, Any]
    stage: Path
    evaluated: _Evaluated

    @property
    def formats(self) -> dict[str, str]:
        """The file format of each captured value."""
        return {a["name"]: a.get("format") or a["entries"][0]["format"] for a in self.serving.artifacts}


def _release(built: _Built, report: ParityReport, cases: Cases) -> tuple[str | None, Path | None]:
    """Promote the Bento and write its record; a failed proof leaves only its report."""
    from nb2prod import __version__
    from nb2prod.bento import store
    from nb2prod.release import record, records, source

    notebook, options, serving, bento = built.notebook, built.options, built.serving, built.bento
    if not report.passed:
        return None, records.write_refused(bento.parent.name, report, cases)
    card = _card(built, report)
    item = record.ReleaseRecord(
        name=bento.parent.name,
        version=bento.name,
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        notebook=notebook.name,
        notebook_hash=source.notebook_hash(notebook.text),
        data_hash=source.file_hash(serving.table.path),
        parameters=dict(options.parameters),
        git=source.git_state(notebook.path),
        python=serving.recording.python,
        pins=built.pins.requirements,
        owner=options.owner,
        runbook=options.runbook,
        watch=options.watch,
        gates=options.gates,
        environments=options.environments,
        recording=_recording_digest(serving),
        nb2prod=__version__,
        captured=tuple(
            record.CapturedValue(v.name, v.cell, v.line, v.reason, built.formats.get(v.name, ""))
            for v in serving.captured
        ),
    )
    executed = (built.stage / "recording" / "executed.ipynb").read_text(encoding="utf-8")
    proved = report.sample and records.proved_before(item.name, item.version)
    if proved:  # a sample takes nothing away from the whole proof of the same content
        return store.promote(bento, readme=card), records.folder_of(item.name, item.version)
    known = built.evaluated
    contents = records.Contents(report, cases, built.plan, card, executed, notebook.path, known.metrics, known.outcomes)
    written = records.write(item, contents)
    tag = store.promote(bento, readme=card)
    return tag, written.folder


def _card(built: _Built, report: ParityReport) -> str:
    import json

    from nb2prod.bento import card
    from nb2prod.release import source

    notebook, options, serving, bento = built.notebook, built.options, built.serving, built.bento
    return card.render(
        card.Card(
            name=bento.parent.name,
            version=bento.name,
            notebook=notebook.name,
            signature=serving.signature,
            owner=options.owner,
            runbook=options.runbook,
            notebook_sha256=source.notebook_hash(notebook.text),
            rows=serving.table.rows,
            predicted_rows=len(serving.predicted),
            parameters=dict(options.parameters),
            metrics=built.evaluated.metrics,
            captured=tuple(
                card.CapturedValue(v.name, v.cell or 0, v.line or 0, v.reason, built.formats.get(v.name, ""))
                for v in serving.captured
            ),
            filters=tuple(card.Filter(f.cell or 0, f.line or 0, f.source, f.klass) for f in serving.filters),
            diagnostics=built.warnings,
            parity=report.to_json(),
            serving=_serving(notebook, options),
            examples=json.loads((bento / "src" / "examples.json").read_text(encoding="utf-8")),
            python_version=built.pins.python_version,
            requirements=built.pins.requirements,
        )
    )


def _recording_digest(serving: ServingPath) -> str:
    """What the run decided, without where it ran: the path's statements and the artifacts' digests."""
    total = hashlib.sha256()
    total.update(serving.composition.features.encode() + serving.composition.predict.encode())
    total.update(serving.fallback.source.encode() if serving.fallback else b"")
    for artifact in serving.artifacts:
        for entry in artifact.get("entries", [artifact]):
            total.update(entry["sha256"].encode())
    return total.hexdigest()


__all__ = ["BuildResult", "build"]
