"""Records, composes and serves a small notebook in this process: what a build does, without a kernel and without a Bento."""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_notebook

import nb2prod.runtime
from nb2prod import notebook
from nb2prod.config import Options
from nb2prod.environments.served import ServedEnvironment
from nb2prod.path import prediction, raw_table
from nb2prod.path.composition import Classes
from nb2prod.path.plan import Planner, ServingPath
from nb2prod.progress import NoProgress
from nb2prod.recording import loading, states
from nb2prod.recording.kernel.numbering import HOOK
from nb2prod.recording.kernel.recorder import Recorder
from nb2prod.recording.record import roles_by_digest
from nb2prod.recording.trace import Recording
from nb2prod.runtime import artifacts, outputs
from nb2prod.runtime.model import Model
from nb2prod.runtime.proxy import Captured
from nb2prod.runtime.rows import Decoder
from nb2prod.runtime.signature import Signature
from tests import runtime_alias

runtime_alias.install()

SUBMODULES = ("frozen", "rules", "outputs", "artifacts", "columns")


class Oracle:
    """What a composer asks of the kernel, asked of the recorder in this process."""

    def __init__(self, recorder: Recorder, recording: Recording) -> None:
        self.recorder, self.recording = recorder, recording

    def globals(self, names: list[str]) -> dict[str, dict[str, Any]]:
        found = self.recorder.names_of(names)
        self.recording.states.update(states.numbered(self.recorder.definitions.states))
        self.recording.snapshots.update(self.recorder.snapshots.entries)
        return found

    def empty_table(self, table: int) -> int:
        number = self.recorder.snapshots.take(pd.read_pickle(self.recorder.raw[table]["path"]).iloc[:0])
        self.recording.snapshots.update(self.recorder.snapshots.entries)
        return number

    def save(self, jobs: list[dict[str, Any]], folder: Path, _runtime: Path) -> list[dict[str, Any]]:
        made = [artifacts.save(pd.read_pickle(j["path"]), j["name"], folder) for j in jobs]
        return [{"file": m.file, "format": m.format, "sha256": m.sha256, "notes": []} for m in made]

    def hand_over(self, path: Path, _runtime: Path) -> Path:
        folder = self.recording.folder / "handed"
        (made,) = self.save([{"name": path.stem, "path": str(path)}], folder, folder)
        return folder / str(made["file"])


@dataclass
class Served:
    """A composed notebook: its raw rows, what it predicted for which of them, and the generated code."""

    raw: pd.DataFrame
    predicted: list[int]
    expected: list[Any]
    features: str
    project: Path

    def answers(self, rows: list[int]) -> list[Any]:
        """What the generated code answers to raw rows."""
        return self.answers_to(self.raw.iloc[rows].reset_index(drop=True), alone=False)

    def answers_to(self, frame: pd.DataFrame, *, alone: bool = True) -> list[Any]:
        """What it answers to rows, by default each alone."""
        if alone:
            rows = [frame.iloc[i : i + 1].reset_index(drop=True) for i in range(len(frame))]
            return [self.answers_to(row, alone=False)[0] for row in rows]
        with _loaded(self.project) as (features, predict, captured), captured.request():
            given = features(frame)
            value = predict(*given) if isinstance(given, tuple) else predict(given)
        return outputs.per_row(value, len(frame))

    def features_of(self, rows: list[int]) -> Any:
        """What the generated code makes of raw rows before it asks the model."""
        with _loaded(self.project) as (features, _, captured), captured.request():
            return features(self.raw.iloc[rows].reset_index(drop=True))

    def one_by_one(self) -> list[Any]:
        """What it answers to each predicted row alone."""
        return [self.answers([row])[0] for row in self.predicted]


class TriesHere:
    """Tries a project in this process, as the process of the kernel's Python would."""

    environment = ServedEnvironment(Path(sys.executable), own=False)
    last: Any = None
    """The last trial of the prediction's path."""

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        saved, path = dict(sys.modules), list(sys.path)
        from nb2prod.path.trial.process import answered, as_json
        from nb2prod.path.trial.project import open_trial

        try:
            trial = open_trial(job)
            made: dict[str, Any] = json.loads(json.dumps(answered(trial), default=as_json))
            self.last = self.last if job.get("y") else trial
        finally:
            sys.path[:] = path
            for name in ("features", "predict"):
                sys.modules.pop(name, None)
                sys.modules.update({name: saved[name]} if name in saved else {})
        return made


def plan(
    cells: Sequence[tuple[str | None, str]],
    folder: Path,
    options: Options | None = None,
    names: dict[str, Any] | None = None,
) -> ServingPath:
    """Run the cells (tag and source) under the recorder, in a namespace of these `names`, and plan and try the service. Raises `Refused`."""
    return _planner(cells, folder, options or Options(), names)[0].run()


def plan_and_serve(cells: list[tuple[str | None, str]], folder: Path) -> tuple[ServingPath, Served]:
    """Run the cells under the recorder, plan and try the service; the plan, and the service as it was planned. Raises `Refused`."""
    made = plan(cells, folder)
    raw, expected = pd.read_pickle(made.table.path), made.cases["expected"]
    return made, Served(raw, made.predicted.tolist(), expected, made.composition.features, folder / "project")


def refusals(made: ServingPath, folder: Path, rows: list[dict[str, Any]]) -> list[str | None]:
    """Why the planned service in this folder gives no answer to each request row, asked alone; None where it gives one."""
    project = folder / "project"
    (project / "signature.json").write_text(json.dumps(made.signature))
    saved, path = dict(sys.modules), list(sys.path)
    try:
        model, decoder = Model.load(project), Decoder(Signature.from_json(made.signature))
        answers = [model.predict(decoder.check({"rows": [row]}).frame) for row in rows]
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - set(saved):
            del sys.modules[name]
        sys.modules.update(saved)
    return [answer.errors[0].reason if answer.errors else None for answer in answers]


def serve(cells: list[tuple[str | None, str]], folder: Path) -> Served:
    """Run the cells (tag and source) under the recorder and compose the service. Raises `Refused`."""
    planner, recorder = _planner(cells, folder, Options())
    recording, project = planner.recording, planner.project
    chosen = prediction.choose(recording, None)
    table, rows = raw_table.choose(recording, chosen, None)
    planner.told = {}
    _, composition = planner.compose(chosen, table, rows, Classes({}, {}))
    planner.staging.stage(composition)
    expected = outputs.per_row(recorder.snapshots.load(chosen.snapshot), len(rows))
    return Served(pd.read_pickle(table.path), rows.tolist(), expected, composition.features, project)


def _planner(
    cells: Sequence[tuple[str | None, str]], folder: Path, options: Options, names: dict[str, Any] | None = None
) -> tuple[Planner, Recorder]:
    path = folder / "book.ipynb"
    made = [new_code_cell(source, metadata={"tags": [tag]} if tag else {}) for tag, source in cells]
    nbformat.write(new_notebook(cells=made), path)
    book = notebook.read(path)
    recorder = _recorded(book, folder, {"__name__": "__main__"} if names is None else names)
    recording = loading.load(folder, book, [(c.source, c) for c in book.code_cells])
    project = folder / "project"
    project.mkdir()
    planner = Planner(recording, None, options, project, NoProgress(), TriesHere())  # type: ignore[arg-type]
    planner.oracle = Oracle(recorder, recording)  # type: ignore[assignment]
    return planner, recorder


def _recorded(book: notebook.Notebook, folder: Path, names: dict[str, Any]) -> Recorder:
    recorder = Recorder(str(folder), roles_by_digest(book), names)
    before = getattr(builtins, HOOK, None)
    setattr(builtins, HOOK, recorder)
    try:
        for cell in book.code_cells:
            exec(compile(recorder.visit(ast.parse(cell.source)), "<cell>", "exec"), names)
        recorder.finish()
    finally:
        recorder.active = False
        if before is None:
            delattr(builtins, HOOK)
        else:
            setattr(builtins, HOOK, before)
    assert recorder.problems == [], recorder.problems[0]
    return recorder


@contextmanager
def _loaded(project: Path) -> Iterator[tuple[Any, Any, Captured]]:
    """The generated modules, with this process' runtime under the name that it has in a Bento."""
    runtime = ModuleType("nb2prod_runtime")
    captured = Captured(project / "artifacts")
    vars(runtime).update(captured=captured, __path__=nb2prod.runtime.__path__)
    names = {f"nb2prod_runtime.{n}": importlib.import_module(f"nb2prod.runtime.{n}") for n in SUBMODULES}
    for name, module in names.items():
        setattr(runtime, name.partition(".")[2], module)
    saved = dict(sys.modules)
    sys.modules.update({"nb2prod_runtime": runtime, **names})
    try:
        with np.errstate(all="ignore"):
            features, predict = (_module(name, project) for name in ("features", "predict"))
            yield features.features, predict.predict, captured
    finally:
        for name in set(sys.modules) - set(saved):
            del sys.modules[name]
        sys.modules.update(saved)


def _module(name: str, project: Path) -> Any:
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile((project / f"{name}.py").read_text(), f"{name}.py", "exec"), vars(module))
    return module
