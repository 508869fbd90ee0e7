"""Records small notebooks and runs them again with other values, in this process: what a build does, without kernels and without a Bento."""

from __future__ import annotations

import ast
import builtins
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_notebook

from nb2prod import notebook
from nb2prod.counterfactual.cases import Changed
from nb2prod.counterfactual.job import Job, fits_of, snapshot
from nb2prod.counterfactual.runs import Runs
from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import Refused
from nb2prod.path import prediction, raw_table
from nb2prod.recording import loading
from nb2prod.recording.kernel import rerun
from nb2prod.recording.kernel.numbering import HOOK
from nb2prod.recording.kernel.recorder import Recorder
from nb2prod.recording.record import roles_by_digest
from nb2prod.recording.trace import Recording
from nb2prod.runtime import describe

ROWS = 120


def table() -> pd.DataFrame:
    """The first 80 rows are trained on, the others predicted: these have no house, no missing age, and no C."""
    i = np.arange(ROWS)
    return pd.DataFrame(
        {
            "kind": np.where((i < 80) & (i % 3 == 0), "house", "flat"),
            "living": 40.0 + i % 17,
            "lot": 300.0 + 7 * (i % 23),
            "age": np.where((i < 80) & (i % 5 == 0), np.nan, 20.0 + i % 31),
            "klass": 1 + i % 3,
            "fare": 5.0 + 3 * (i % 11),
            "port": np.where((i < 80) & (i % 20 == 0), "C", np.where(i % 2 == 0, "A", "B")),
            "price": 100.0 + 13 * (i % 37),
        }
    )


LOAD = "import numpy as np, pandas as pd\nfrom sklearn.linear_model import LinearRegression\ndf = pd.read_csv('d.csv')"
TRAIN = "model = LinearRegression().fit(X[:80], df['price'][:80])"
PREDICT = "y_pred = model.predict(X[80:])"


def cells(feature: str, train: str = TRAIN, predict: str = PREDICT) -> list[tuple[str, str]]:
    """A notebook on `table`: what it does with `df` to make `X`, how it trains and predicts."""
    return [("data", LOAD), ("feature", feature), ("train", train), ("predict", predict)]


class InProcess(Runs):
    """Runs in this process."""

    book: notebook.Notebook

    def _measured(self, folder: Path, asked: dict[str, Any], then: Any, *, anyhow: bool = False) -> Any:
        self.done += 1
        folder.mkdir(parents=True)
        names: dict[str, Any] = {"__name__": "__main__"}
        recorder = rerun.Rerun(str(folder), roles_by_digest(self.book), names, asked)
        began = time.perf_counter()
        problem = _run(self.book, recorder, names)
        self.last = time.perf_counter() - began
        self.spent += self.last
        if problem is not None and not anyhow:
            raise Refused([Diagnostic("N4", "error", f"This cell raised {problem!r}", "", 1, 1, "")])
        assert recorder.problems == [], recorder.problems[0]
        recording = loading.load(folder, self.book, [(c.source, c) for c in self.book.code_cells])
        with _hooked(recorder):
            return then(recording, _Kernel())


class _Kernel:
    def run(self, code: str) -> None:
        import sys

        sys.modules["_nb2prod_recorder.rerun"] = rerun
        exec(code)


def runs(made: list[tuple[str, str]], folder: Path, target: str = "price", **more: Any) -> InProcess:
    """Record the notebook in `folder`, which gets its table; then it can be run again. `more` are fields of the job."""
    table().to_csv(folder / "d.csv", index=False)
    book = _book(made, folder)
    names: dict[str, Any] = {"__name__": "__main__"}
    first = folder / "first"
    first.mkdir()
    recorder = Recorder(str(first), roles_by_digest(book), names)
    with _inside(folder):
        assert (problem := _run(book, recorder, names)) is None, problem
        assert recorder.problems == [], recorder.problems[0]
        recording = loading.load(first, book, [(c.source, c) for c in book.code_cells])
    job = _job(recording, folder, target, more)
    found = InProcess(job)
    found.book = book
    return found


def find(made: list[tuple[str, str]], folder: Path, **more: Any) -> tuple[list[Changed], InProcess]:
    """What running the notebook again tells."""
    made_runs = runs(made, folder, **more)
    with _inside(folder):
        found = made_runs.find()
    return list(found.rows), made_runs


def _job(recording: Recording, folder: Path, target: str, more: dict[str, Any]) -> Job:
    chosen = prediction.choose(recording, None)
    raw, rows = raw_table.choose(recording, chosen, None)
    frame = pd.read_pickle(raw.path)
    out = folder / "again"
    out.mkdir()
    np.save(out / "predicted.npy", rows)
    given = chosen.event[1].get("given") if chosen.event else None
    given_rows = recording.rows_of(chosen.event[1]["lineage"], raw.number) if chosen.event else None
    if given_rows is not None:
        np.save(out / "given.npy", given_rows)
    fields = [name for name in frame if name != target]
    told = {
        "notebook": str(recording.notebook.path),
        "options": {},
        "recording": str(recording.folder),
        "folder": str(out),
        "runtime": "",
        "table": raw.number,
        "table_path": str(raw.path),
        "rows": len(frame),
        "others": tuple(str(t.path) for t in recording.tables if t.number != raw.number),
        "predicted": str(out / "predicted.npy"),
        "prediction": snapshot(recording, chosen.snapshot),
        "statement": (chosen.steps[-1].k, chosen.node),
        "given": snapshot(recording, given) if given else None,
        "given_rows": str(out / "given.npy") if given else None,
        "fits": fits_of(recording, out),
        "kept": (target,),
        "nullable": (),
        "columns": tuple(describe.columns(frame, fields=fields, targets=[target] if target in frame else [])),
        "output": "y_pred",
        "precision": {"answers": {}, "features": {}},
        "lent": None,
        "seconds": 0.1,
        "limit": 60.0,
    }
    return Job(**{**told, **more})


def _book(made: list[tuple[str, str]], folder: Path) -> notebook.Notebook:
    path = folder / "book.ipynb"
    written = [new_code_cell(source, metadata={"tags": [tag]} if tag else {}) for tag, source in made]
    nbformat.write(new_notebook(cells=written), path)
    return notebook.read(path)


def _run(book: notebook.Notebook, recorder: Recorder, names: dict[str, Any]) -> Exception | None:
    problem = None
    with _hooked(recorder):
        try:
            for cell in book.code_cells:
                exec(compile(recorder.visit(ast.parse(cell.source)), "<cell>", "exec"), names)
        except Exception as raised:  # noqa: BLE001 - a cell may raise anything
            problem = raised
        recorder.finish()
    return problem


@contextmanager
def _hooked(recorder: Recorder):
    before = getattr(builtins, HOOK, None)
    setattr(builtins, HOOK, recorder)
    try:
        yield
    finally:
        if before is None:
            delattr(builtins, HOOK)
        else:
            setattr(builtins, HOOK, before)


@contextmanager
def _inside(folder: Path):
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
