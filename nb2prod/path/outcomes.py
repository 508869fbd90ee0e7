"""What the trial process is to find out of the true values of the predicted rows: the fits of the model that was asked, and the way to their target."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb2prod.errors import Nb2ProdError
from nb2prod.path.prediction import Prediction
from nb2prod.recording.trace import Recording, Step, Table, Tree

if TYPE_CHECKING:
    from nb2prod.path.plan import Planner

BY_HAND = (
    "The prediction is made from plain values, which stand for no row of a table: nothing says what is true of them."
)
NOT_ASKED = "No model was seen to be asked for the prediction, so there is no target to compare it with."
NOT_FITTED = "The run shows no fit of the model that was asked, so it is not known which rows it learned from."
NO_ROWS = "The target that the model was fitted to has no rows of a table that could be followed."
ANOTHER = (
    "The model was fitted to another table's rows, and the table of the predicted rows has no column of the target."
)
NOT_PLAIN = "The target that the model was fitted to is of a type that no format holds."
NO_WAY = "The target is no column as it is, and the notebook's lines that make it could not be followed to the predicted rows."


@dataclass(frozen=True)
class Fit:
    """A target that was fitted: files of its values, of the raw rows that they belong to, and of their table (None: the predicted rows' own)."""

    y: str
    rows: str
    raw: str | None


@dataclass(frozen=True)
class OutcomesJob:
    """What `truths.py` needs; with `reason` nothing can be found out.

    `trained` and `beside`: files with the rows of the raw table that were learned from, and that a fit was given beside them.
    `y_project`: a folder whose modules make the target of raw rows (None: there is none, `no_path` says why).
    `probabilities`: where the notebook computed them for these rows, files of them (`output`) and of their rows (`rows`).
    """

    reason: str | None
    learned: int | None = None
    """How many of the predicted rows the model, or a part of it, was fitted to; None where the run does not show it."""
    fits: tuple[Fit, ...] = ()
    trained: str = ""
    beside: str = ""
    y_project: str | None = None
    no_path: str = ""
    probabilities: dict[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """As the trial process reads it."""
        return asdict(self)


def job(
    planner: Planner, prediction: Prediction, table: Table, predicted: npt.NDArray[np.int64], *, equal: bool
) -> OutcomesJob:
    """What to ask about the rows that the notebook predicted; `equal`: a raw column holds what was fitted."""
    if prediction.function is not None:
        return OutcomesJob(BY_HAND)
    recording = planner.recording
    asked = _asked(recording, prediction)
    if not asked:
        return OutcomesJob(NOT_ASKED)
    if not all(event["trainings"] for event in asked):
        return OutcomesJob(NOT_FITTED)
    numbers = sorted({number for event in asked for number in event["trainings"]})
    files = _Files(planner, table)
    trained = files.held(r for n in numbers for r in recording.trainings[n].rows)
    learned = int(np.isin(predicted, trained).sum())
    own = {event["trainings"][-1] for event in asked}
    fits = [dict(fit) for fit in recording.fits if fit["training"] in numbers]
    # Parts that a model holds may have learned another target of their own.
    fits = [fit for fit in fits if fit["training"] in own] or fits
    if not fits:
        return OutcomesJob(NO_ROWS, learned)
    try:
        known = [files.fit(fit, f"outcome_{at}") for at, fit in enumerate(fits)]
        probabilities = files.probabilities(asked, predicted)
    except Nb2ProdError:
        return OutcomesJob(NOT_PLAIN, learned)
    here = [fit for fit, written in zip(fits, known, strict=True) if written.raw is None]
    project = _path_to_target(planner, table, here[-1]) if here and not equal else None
    return OutcomesJob(
        None,
        learned,
        tuple(known),
        files.save("outcome_trained", trained),
        files.save("outcome_beside", files.held(r for n in numbers for r in recording.trainings[n].beside)),
        None if project is None else str(project),
        NO_WAY if here else ANOTHER,
        probabilities,
    )


def own_first(recording: Recording, prediction: Prediction) -> list[dict[str, Any]]:
    """All fits, the last first; those of the model that is asked for the prediction before those of other models."""
    asked = [] if prediction.function is not None else _asked(recording, prediction)
    own = {number for event in asked for number in event["trainings"]}
    latest = recording.fits[::-1]
    return sorted(latest, key=lambda fit: fit["training"] not in own)


def _asked(recording: Recording, prediction: Prediction) -> list[dict[str, Any]]:
    """The calls of models from which the prediction comes, in functions of the notebook too."""
    first, last = prediction.steps[0].seq, prediction.steps[-1].seq
    end = min((s.seq for s in recording.by_frame.get(0, []) if s.seq > last), default=last + 10**9)
    top = {s.seq for s in prediction.steps}
    found: list[dict[str, Any]] = []
    current: Step | None = None
    for step in sorted(recording.steps, key=lambda s: s.seq):
        if not first <= step.seq < end:
            continue
        current = step if step.frame == 0 else current
        if current is not None and current.seq in top:
            found += [e for e in step.events if e["kind"] == "predict" and _covers(recording, e, prediction)]
    return found


def _covers(recording: Recording, event: dict[str, Any], prediction: Prediction) -> bool:
    """Whether a call was asked for rows of the prediction."""
    shared = set(recording.tables_of(event["lineage"])) & set(recording.tables_of(prediction.lineage))
    for table in shared:
        rows, own = recording.rows_of(event["lineage"], table), recording.rows_of(prediction.lineage, table)
        if rows is not None and own is not None and np.isin(rows[rows >= 0], own).any():
            return True
    return False


class _Files:
    """Writes rows beside the recording, for the trial process."""

    def __init__(self, planner: Planner, table: Table) -> None:
        self.planner, self.recording, self.table = planner, planner.recording, table

    def held(self, lineages: Iterable[int]) -> npt.NDArray[np.int64]:
        """The raw rows that these lineages hold."""
        found = [self.recording.rows_of(lineage, self.table.number) for lineage in lineages]
        known = [rows[rows >= 0] for rows in found if rows is not None]
        return np.unique(np.concatenate(known)) if known else np.empty(0, dtype="int64")

    def fit(self, fit: dict[str, Any], name: str) -> Fit:
        """The target of a fit: of rows of the predicted table, or of the table that it has most rows of."""
        y = self._snapshot(fit["y"])
        own = self.recording.rows_of(fit["lineage"], self.table.number)
        if own is not None and (own >= 0).any():
            return Fit(y, self.save(name, own), None)
        others = [(n, self.recording.rows_of(fit["lineage"], n)) for n in self.recording.tables_of(fit["lineage"])]
        number, rows = max(
            ((n, r) for n, r in others if r is not None),
            key=lambda item: int((item[1] >= 0).sum()),
            default=(self.table.number, np.empty(0, dtype="int64")),
        )
        return Fit(y, self.save(name, rows), self.planner.trials.handed(str(self.recording.tables[number].path)))

    def probabilities(self, asked: list[dict[str, Any]], predicted: npt.NDArray[np.int64]) -> dict[str, str] | None:
        """Where the one model that was asked gave probabilities of all these rows in the notebook's run."""
        models = {event["instance"] for event in asked}
        if len(models) != 1 or None in models:
            return None
        for step in self.recording.steps:
            for event in step.events:
                if event["kind"] != "predict" or event["name"] != "predict_proba" or event["instance"] not in models:
                    continue
                rows = self.recording.rows_of(event["lineage"], self.table.number)
                if rows is not None and event["trainings"] == asked[0]["trainings"] and np.isin(predicted, rows).all():
                    file = self.save("outcome_probabilities", rows)
                    return {"output": self._snapshot(event["output"]), "rows": file}
        return None

    def _snapshot(self, number: int) -> str:
        return self.planner.trials.handed(str(self.recording.folder / "snapshots" / f"{number}.pkl"))

    def save(self, name: str, rows: npt.NDArray[np.int64]) -> str:
        """The file of these rows."""
        path = self.recording.folder / f"{name}.npy"
        np.save(path, rows)
        return str(path)


def fitted_target(
    recording: Recording, fit: dict[str, Any], table: Table
) -> tuple[Prediction, npt.NDArray[np.int64]] | None:
    """What a fit calls `y`, as something to be served, and the rows of the table that it was fitted for; None within a function."""
    tree, _ = recording.statement(fit["k"])
    node = _fitted_to(tree.nodes[fit["node"]])
    step = recording.by_seq.get(fit["seq"])
    rows = recording.rows_of(fit["lineage"], table.number)
    if node is None or step is None or step.frame or rows is None:
        return None
    if isinstance(node, ast.Name) and (found := _label(recording, step, node.id)) is not None:
        step, tree, node = found
    return Prediction((step,), None, tree.index[node], fit["y"], fit["lineage"], None), np.unique(rows[rows >= 0])


def _label(recording: Recording, before: Step, name: str) -> tuple[Step, Tree, ast.expr] | None:
    """Where a booster's data set of this name was made: the expression of its label. None where the name is bound to anything else."""
    for step in reversed(recording.by_frame.get(0, [])):
        if step.seq >= before.seq or not any(bind.name == name for bind in step.binds):
            continue
        tree, statement = recording.statement(step.k)
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
            return None
        call = statement.value
        if not ast.unparse(call.func).rpartition(".")[2].endswith(("Matrix", "Dataset", "Pool")):
            return None
        labels = [k.value for k in call.keywords if k.arg == "label"] or call.args[1:2]
        return (step, tree, labels[0]) if labels else None
    return None


def _fitted_to(call: ast.AST) -> ast.expr | None:
    """The expression of `y` in a call that fits."""
    if not isinstance(call, ast.Call):
        return None
    named = [k.value for k in call.keywords if k.arg in ("y", "endog")]
    return named[0] if named else call.args[1] if len(call.args) > 1 else None


def _path_to_target(planner: Planner, table: Table, fit: dict[str, Any]) -> Path | None:
    """A project whose modules make the target of raw rows, as the notebook made it for the fit; None where it can't be followed."""
    found = fitted_target(planner.recording, fit, table)
    if found is None:
        return None
    own = copy.copy(planner)
    own.project, own.fallback, own.notes = planner.project.with_name(f"{planner.project.name}_target"), None, []
    own.project.mkdir(exist_ok=True)
    y, rows = found
    try:
        return own.project if own.stage_target(y, table, rows) else None
    except Exception:  # noqa: BLE001 - no build fails for want of metrics
        return None
