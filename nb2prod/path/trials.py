"""What the process that tries is told of a plan: the project, the rows, the answers, the fit."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb2prod.path import outcomes, raw_table
from nb2prod.path.composition import VALIDITY, Composition
from nb2prod.path.freezing import Rows, rows_learned_from
from nb2prod.path.prediction import Prediction
from nb2prod.recording.trace import Table

if TYPE_CHECKING:
    from nb2prod.path.plan import Planner


class Trials:
    """Puts the jobs of a planner's trials together, and runs them."""

    def __init__(self, planner: Planner) -> None:
        self.planner = planner

    def job(self, prediction: Prediction, table: Table, predicted: npt.NDArray[np.int64]) -> dict[str, Any]:
        folder = self.planner.recording.folder
        np.save(folder / "predicted.npy", predicted)
        given = prediction.event[1].get("given") if prediction.event else None
        function = prediction.function
        return {
            "calls": [c.arguments for c in function.calls] if function else None,
            "outputs": [str(self.planner.staging.snapshot(c.output)) for c in function.calls] if function else None,
            "project": str(self.planner.project),
            "raw": str(table.path),
            "predicted": str(folder / "predicted.npy"),
            "expected": str(self.planner.staging.snapshot(prediction.snapshot)),
            "given": str(self.planner.staging.snapshot(given)) if given else None,
            "tolerance": self.planner.options.tolerance,
            "tolerances": dict(self.planner.options.tolerances),
            "output": prediction.label or "prediction",
            "target": list(self.planner.options.target) or self.planner.made_of or [],
            "fields": list(table.columns) if function else [*self.planner.options.fields, *self._rule_fields()],
            "fit": self._fit(prediction, table),
        }

    def _rule_fields(self) -> tuple[str, ...]:
        """What the answer by rule needs of a request."""
        return () if self.planner.fallback is None else self.planner.fallback.fields

    def _fit(self, prediction: Prediction, table: Table) -> dict[str, Any] | None:
        """The last fit before the prediction whose y has rows of the raw table, or of another (`raw`): train and test may be two files."""
        others = [t for t in reversed(self.planner.recording.tables) if t.number != table.number]
        for one in (table, *others):
            fit = self.fitted(prediction, one)
            if fit is None:
                continue
            path = self.planner.recording.folder / "fit_rows.npy"
            rows = self.planner.recording.rows_of(fit["lineage"], one.number)
            assert rows is not None
            np.save(path, rows)
            known = {"y": str(self.planner.staging.snapshot(fit["y"])), "rows": str(path)}
            return known if one is table else {**known, "raw": str(one.path)}
        return None

    def fitted(self, prediction: Prediction, table: Table) -> dict[str, Any] | None:
        last = prediction.steps[-1].seq
        # A function may fit and predict in one call: what it did comes after the call's own number and before the next statement's.
        end = min((s.seq for s in self.planner.recording.by_frame.get(0, []) if s.seq > last), default=last + 10**9)
        for fit in outcomes.own_first(self.planner.recording, prediction):
            rows = self.planner.recording.rows_of(fit["lineage"], table.number)
            if fit["seq"] < end and rows is not None and (rows >= 0).any():
                return dict(fit)
        return None

    def training_rows(self, prediction: Prediction, table: Table) -> Rows:
        """The rows that the model was fitted to."""
        for one in (table, *reversed(self.planner.recording.tables)):
            fit = self.fitted(prediction, one)
            if fit is not None:
                return rows_learned_from(self.planner.recording, fit["lineage"])
        return {}

    def explore(
        self,
        prediction: Prediction,
        table: Table,
        predicted: npt.NDArray[np.int64],
        composition: Composition,
        *,
        replay_only: bool = False,
    ) -> dict[str, Any]:
        self.planner.staging.draft(table)
        settled = set(self.planner.options.filters)
        open_rules = [f.id for f in composition.filters if f.klass == VALIDITY and f.id not in settled]
        rules = [f.rule for f in composition.filters]
        job = {
            **self.job(prediction, table, predicted),
            "filters": open_rules,
            "rules": rules,
            "replay_only": replay_only,
        }
        if not self._features_are_given(prediction, composition):
            job["given"] = None
        return self.run(job)

    def _features_are_given(self, prediction: Prediction, composition: Composition) -> bool:
        """Whether what `features` returns (first) is what the model is given: the post-processing may need more of the table."""
        if composition.argument is not None or prediction.event is None:
            return True
        step, event = prediction.event
        tree, _ = self.planner.recording.statement(step.k)
        argument = tree.nodes[event["argument"]] if event.get("argument") is not None else None
        return isinstance(argument, ast.Name) and composition.returns[:1] == (argument.id,)

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Try the project as it is staged now, on what the kernel hands over."""
        given = {
            key: self.handed(job[key]) for key in ("raw", "expected", "given") if job.get(key) and not job.get("calls")
        }
        fit = {
            key: self.handed(value) if key in ("raw", "y") else value for key, value in (job.get("fit") or {}).items()
        }
        outputs = [self.handed(path) for path in job.get("outputs") or ()]
        return self.planner.tries.run(
            {**job, **given, "fit": fit, "outputs": outputs, "beside": raw_table.beside(self.planner, job)}
        )

    def handed(self, path: str) -> str:
        """A file of the kernel's as one that the trial reads."""
        return str(self.planner.oracle.hand_over(Path(path), self.planner.project))
