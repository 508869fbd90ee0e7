"""Which value of the notebook is the prediction (design rule: the last one in a predict cell, with its post-processing)."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from nb2prod.errors import Refused
from nb2prod.path import calls
from nb2prod.path.calls import PredictingFunction
from nb2prod.path.candidate import Candidate, in_predict_cell, narrow, same_rows
from nb2prod.path.candidates import asked, find_candidates, gathering
from nb2prod.path.no_prediction import asking, nothing
from nb2prod.recording.trace import Recording, Step


@dataclass(frozen=True)
class Prediction:
    """The chosen prediction.

    `steps`: the top-level steps of the predict cells that make it, in order (the model's answer, then post-processing).
    `name`: the variable it is bound to (or ``df["pred"]``, changed in its place), None for a bare expression. `node`: the expression that is the answer (in the last step's tree).
    `snapshot`, `lineage`: its recorded value and the rows it answers.
    `event`: the step and event of the model's call, where one call in these steps makes it.
    `function`: the function of plain values that makes it, where no rows of a table do.
    """

    steps: tuple[Step, ...]
    name: str | None
    node: int | None
    snapshot: int
    lineage: int
    event: tuple[Step, dict[str, Any]] | None
    others: tuple[str, ...] = ()
    function: PredictingFunction | None = None
    column: str | None = None
    """The column that an expression without a name is written to."""

    @property
    def label(self) -> str | None:
        """What the notebook calls it: the variable, or the column it is written to."""
        return self.column or self.name


def choose(recording: Recording, wanted: str | None) -> Prediction:
    """Choose the prediction; `wanted` names a variable instead. Raises `Refused` (N15) where there is none."""
    steps = [s for s in recording.by_frame.get(0, []) if in_predict_cell(recording, s)]
    if wanted is not None:
        steps = list(recording.by_frame.get(0, []))
    found = find_candidates(recording, steps, mixed=wanted is not None)
    model = [c for c in found if c.predicted]
    pool = model or [c for c in found if narrow(recording, c) and not _row_itself(recording, c)]
    if wanted is not None:
        pool = [c for c in found if wanted in (c.name, c.column)]
    elif not pool and not any(asking(recording)):
        # No model is asked: a matrix that is made of many rows and of weights (`X @ weights`) is what the cell is tagged for; features alone are not.
        pool = [c for c in found if not _row_itself(recording, c) and _weighed(recording, c)]
    function = calls.find(recording, wanted)
    if function is not None and not (pool if wanted is not None else model):
        return _by_calls(function)
    if not pool:
        raise Refused([nothing(recording, wanted)])
    # One row beside a whole table is a look at the model: the table's rows prove more, where they answer alike.
    best = next((c for c in reversed(pool) if recording.length_of(c.lineage) > 1), pool[-1])
    best = pool[-1] if _adds_a_step(recording, pool[-1], best) else best
    others = tuple(
        dict.fromkeys(c.name for c in pool[:-1] if c.name and c.name != best.name and c not in _chain(best, pool))
    )
    if function is not None:
        others = (*others, function.name)
    return _prediction(recording, best, others)


def made_of_columns(recording: Recording, chosen: Prediction) -> str | None:
    """The last value that the predict cells make of the chosen prediction and of other columns of its rows (``y_pred * test["rooms"]``), by name.

    Whether it is the answer or a residual (``y_test - y_pred``), only a plan of it tells: the one is made without the target.
    """
    steps = [s for s in recording.by_frame.get(0, []) if in_predict_cell(recording, s)]
    found = [
        c.name or c.column
        for c in find_candidates(recording, steps, mixed=True)
        if chosen.function is None
        and chosen.steps[-1] in c.steps[:-1]
        and recording.length_of(c.lineage) > 1
        and same_rows(recording, c.lineage, chosen.lineage)
        and narrow(recording, c)
    ]
    return found[-1] if found else None


def _adds_a_step(recording: Recording, one: Candidate, table: Candidate) -> bool:
    """Whether the answer for one row has a step (``np.expm1``) that the answers for the table's rows, of the same model's same method, lack."""

    def asked(candidate: Candidate) -> set[tuple[str, str]]:
        return {(e["model"], e["name"]) for s in candidate.steps for e in s.events if e["kind"] == "predict"}

    same_rows = set(recording.tables_of(one.lineage)) == set(recording.tables_of(table.lineage))
    return one is not table and one.altered and not table.altered and same_rows and asked(one) == asked(table)


def _row_itself(recording: Recording, candidate: Candidate) -> bool:
    """Whether a value is one row (its features, say), and no answer for it."""
    text = recording.snapshots[candidate.snapshot]["text"]
    return recording.is_single(candidate.lineage) and ("of shape" in text or text.startswith(("[", "{")))


def _weighed(recording: Recording, candidate: Candidate) -> bool:
    """Whether an array for many rows comes of a product of matrices."""
    array = recording.snapshots[candidate.snapshot]["type"] == "numpy.ndarray"
    nodes = (node for step in candidate.steps for node in ast.walk(recording.statement(step.k)[1]))
    return array and recording.length_of(candidate.lineage) > 1 and any(_multiplies(node) for node in nodes)


def _multiplies(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return name in ("dot", "matmul", "einsum", "tensordot")
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult)


def _by_calls(function: PredictingFunction) -> Prediction:
    last = function.calls[-1]
    steps = tuple({c.step.seq: c.step for c in function.calls}.values())
    return Prediction(steps, function.name, None, last.output, -1, None, (), function)


def bound_in(recording: Recording, tag: str) -> list[Prediction]:
    """What the cells of this tag bind or show with one entry for each row, in order; no model has to be asked for it."""
    steps = []
    for step in recording.by_frame.get(0, []):
        cell = recording.trees[recording.statements[step.k].tree].cell
        if cell is not None and tag in cell.tags:
            steps.append(step)
    return [_prediction(recording, c, ()) for c in find_candidates(recording, steps) if narrow(recording, c)]


def _chain(best: Candidate, pool: list[Candidate]) -> list[Candidate]:
    return [c for c in pool if c.steps[-1] in best.steps]


def _prediction(recording: Recording, best: Candidate, others: tuple[str, ...]) -> Prediction:
    best.steps = sorted([*gathering(recording, best.steps), *best.steps], key=lambda s: s.seq)
    return Prediction(
        tuple(best.steps),
        best.name,
        best.node,
        best.snapshot,
        best.lineage,
        asked(recording, best),
        others,
        column=best.column,
    )
