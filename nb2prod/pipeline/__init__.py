"""The whole way: notebook → recording → plan → Bento → proof → release. Everything half-made lies in a staging folder of its own."""

from __future__ import annotations

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod import durations, home, room
from nb2prod.built import BuildResult
from nb2prod.config import Options, bento_name
from nb2prod.errors import Cancelled
from nb2prod.notebook import Notebook, read
from nb2prod.pipeline.ingredients import Ingredients, begin_cases, described, package, service_options
from nb2prod.pipeline.proof import ProofInput, prove
from nb2prod.pipeline.releasing import BuiltBento, measured_rows, release
from nb2prod.progress import NoProgress, Progress, TimedProgress

if TYPE_CHECKING:
    from nb2prod.afterwards import Afterwards
    from nb2prod.bento.build_environment import BuildEnvironment
    from nb2prod.environments.uv import Sources
    from nb2prod.parity.counterfactual import Awaited
    from nb2prod.parity.report import ParityReport
    from nb2prod.path.plan import ServingPath


def build(path: Path, options: Options, progress: Progress | None = None, *, quick: bool = False) -> BuildResult:
    """Build and prove a Bento of the notebook at `path`; with `quick`, a sample of the proof, which does not do to deploy it.

    Raises `Refused` (the notebook can't be served as it is), `InputError`, `EnvironmentProblem`, and `Cancelled` on an interrupt; nothing is
    left half-written. A proof that fails is a result without a Bento.
    """
    from nb2prod import early
    from nb2prod.environments.uv import Sources
    from nb2prod.forecast import forecast
    from nb2prod.path import planned

    notebook = read(path)
    name = bento_name(notebook.path, options)
    timed = TimedProgress(progress or NoProgress(), durations.last(name))
    early.check(notebook, options, forecast(notebook, options) if options.target or options.fields else None)
    service_options(notebook, options)
    sources = Sources(options.find_links, options.offline)
    with _staging(name) as stage, contextlib.ExitStack() as besides:
        made = _made(_Order(notebook, options, sources, stage, timed, quick), besides)
    timed.finish()
    if not quick:
        durations.keep(name, timed.seconds)
    seconds = {**timed.seconds, "total": sum(timed.seconds.values())}
    plan = planned.from_json(made.built.plan)
    metrics = made.built.evaluated.metrics
    return BuildResult(made.tag, made.built.warnings, plan, made.report, seconds, made.record, metrics)


@dataclass(frozen=True)
class _Order:
    """What is to be built, and the staging folder in which that is done."""

    notebook: Notebook
    options: Options
    sources: Sources
    stage: Path
    timed: TimedProgress
    quick: bool

    @property
    def project(self) -> Path:
        """The folder of the generated project."""
        return self.stage / "project"

    @property
    def kernel(self) -> str:
        """The name of the kernel that runs the notebook."""
        return self.options.kernel or self.notebook.kernel


@dataclass(frozen=True)
class _Outcome:
    """What became of it: the Bento's tag where it was proved, its record, and the proof."""

    built: BuiltBento
    report: ParityReport
    tag: str | None
    record: Path | None


def _made(order: _Order, besides: contextlib.ExitStack) -> _Outcome:
    """Record, plan, package, prove and release; what goes on `besides` it ends with it."""
    from nb2prod import afterwards
    from nb2prod.bento import build_environment
    from nb2prod.recording import record

    notebook, options, timed = order.notebook, order.options, order.timed
    timed.stage("environment")
    expected = build_environment.before_run(notebook, order.kernel, order.sources)
    timed.stage("record")
    _begin_project(order.project)
    lent = expected.tried.site if expected else None
    with contextlib.ExitStack() as trial:
        planning = functools.partial(_planned, order, expected, trial, besides)
        packed = record.record(notebook, options, order.stage / "recording", timed, planning, lent)
        timed.stage("package")
        bento, pins = package(packed, order.project, order.stage)
        served = packed.environment.exact(pins.requirements, order.sources)
        timed.stage("prove")
        serving, edges = packed.serving, packed.tries.edges()
        evaluated = measured_rows(packed)
    unproved = ProofInput(serving, edges, packed.again)
    report, cases = prove(unproved, bento, served, options, timed, quick=order.quick)
    timed.stage("release")
    said = afterwards.compare(notebook, options, serving)
    document = _plan_document(serving, said)
    built = BuiltBento(notebook, options, serving, bento, pins, said.diagnostics, document, order.stage, evaluated)
    return _Outcome(built, report, *release(built, report, cases))


def _planned(
    order: _Order,
    expected: BuildEnvironment | None,
    trial: contextlib.ExitStack,
    besides: contextlib.ExitStack,
    recording: Any,
    kernel: Any,
) -> Ingredients:
    """Plan while the kernel that ran the notebook is still there; the process that tried the plan ends with `trial`."""
    from nb2prod.bento import build_environment
    from nb2prod.bento.build_environment import RunKernel
    from nb2prod.path import path_modules, plan
    from nb2prod.path.kernel import loaded_modules
    from nb2prod.path.tries import Tries

    notebook, options, timed = order.notebook, order.options, order.timed
    ran = RunKernel(order.kernel, Path(recording.executable), loaded_modules(kernel, recording.folder))
    environment = build_environment.after_run(notebook, ran, order.sources, expected)
    path_modules.link(ran.loaded, environment.kernel, recording.folder, notebook.path.parent)
    timed.stage("plan")
    tries = trial.enter_context(Tries(recording, order.project, environment.tried))
    serving = plan.plan(recording, kernel, options, order.project, timed, tries)
    told = described(notebook, options, serving, tries)
    begin_cases(tries, serving)
    again = _run_again(order, besides, serving, environment.tried.site)
    return Ingredients(notebook, options, serving, told, environment, tries, again)


def _begin_project(project: Path) -> None:
    """Make the project's folder, with the runtime in it."""
    from nb2prod.bento import project as files

    project.mkdir()
    files.copy_runtime(project / files.RUNTIME_PACKAGE)


def _run_again(order: _Order, besides: contextlib.ExitStack, serving: ServingPath, lent: Path | None) -> Awaited:
    """Begin to run the notebook again, with other values in some rows, with packages `lent` to its kernel; it ends with `besides`."""
    from nb2prod.counterfactual import process
    from nb2prod.counterfactual.job import FirstRun

    first = FirstRun(order.stage, lent, order.timed.seconds["record"], order.quick)
    again = process.beside(serving, order.options, first)
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


__all__ = ["BuildResult", "build"]
