"""The plan: the serving path with everything that was settled by trying it, or the diagnostics that say why there is none."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nb2prod.config import Options
from nb2prod.diagnostics import Diagnostic
from nb2prod.environments.served import ServedEnvironment
from nb2prod.errors import Refused
from nb2prod.path import columns_check, fallback, filters, findings, outcomes, raw_table, served_checks
from nb2prod.path import prediction as predictions
from nb2prod.path.blame import mismatch_diagnostics, statement_of
from nb2prod.path.compose import Composer
from nb2prod.path.composition import PARTIAL, TRAINING_ONLY, VALIDITY, Classes, Composition
from nb2prod.path.emit import Emitter
from nb2prod.path.fallback import Fallback
from nb2prod.path.freezing import Freezing, Rows
from nb2prod.path.kernel import KernelOracle
from nb2prod.path.prediction import Prediction
from nb2prod.path.serving_path import FilterPlan, ServingPath
from nb2prod.path.staging import Staging
from nb2prod.path.trials import Trials
from nb2prod.path.tries import Tries
from nb2prod.path.walk import Served, Walk
from nb2prod.progress import Progress
from nb2prod.recording.trace import Recording, Table

if TYPE_CHECKING:
    from nb2prod.recording.engine import Kernel

RUNTIME_PACKAGE = "nb2prod_runtime"


class Planner:
    """Makes the plan for one recording, while its kernel is alive."""

    def __init__(
        self, recording: Recording, kernel: Kernel, options: Options, project: Path, progress: Progress, tries: Tries
    ) -> None:
        self.recording, self.options, self.project, self.progress = recording, options, project, progress
        site = tries.environment.site
        self.oracle = KernelOracle(kernel, recording, [] if site is None else [site])
        self.notes: list[Diagnostic] = []
        self.tries = tries
        self.made_of: list[str] | None = None
        self.fallback: Fallback | None = None
        self.told: dict[str, str] = {}
        self.served = Served()

    @property
    def staging(self) -> Staging:
        """Writes what is composed into the project folder."""
        return Staging(self)

    @property
    def trials(self) -> Trials:
        """Tries what is staged."""
        return Trials(self)

    def run(self) -> ServingPath:
        """Choose, walk, compose, try, settle. Raises `Refused` with everything that stands in the way."""
        prediction = predictions.choose(self.recording, self.options.prediction)
        name = None if self.options.prediction else predictions.made_of_columns(self.recording, prediction)
        if name is not None:
            other = copy.copy(self)
            other.notes, other.options = [], replace(self.options, prediction=name)
            with contextlib.suppress(Refused):
                made = other.plan_for(predictions.choose(self.recording, name))
                # Where the table has the target and it is not known, the value may be the prediction's error, as columns often are.
                apart = self.trials.fitted(made.prediction, made.table) is None
                written = any(step.event("written") is not None for step in made.prediction.steps)
                learned = bool(self.trials.training_rows(made.prediction, made.table))
                if made.target or (apart and (learned or not written)):
                    return made
        return self.plan_for(prediction)

    def plan_for(self, prediction: Prediction) -> ServingPath:
        """The plan for this prediction. Raises `Refused`."""
        table, predicted = self._rows_of(prediction)
        self.fallback = fallback.plan(self, table, predicted)
        training = self.trials.training_rows(prediction, table)
        told = filters.told(self.recording, self.options.filters, TRAINING_ONLY, table.number, training)
        self.told, self.evidence = dict(told.classes), dict(told.evidence)
        walk, composition, artifacts, answer = self._settled(prediction, table, predicted, training)
        if answer["mismatches"] or answer["unsteady"]:
            raise Refused(mismatch_diagnostics(self.recording, walk, answer))
        self.notes += columns_check.check(answer, table, self.options)
        self.notes += findings.of_predicted_rows(
            self.recording, walk, composition.captured, findings.Groups(frozenset(predicted.tolist()), training)
        )
        cases = {
            key: answer[key] for key in ("rows", "expected", "row_ids", "given", "phantoms", "precision", "unread")
        }
        if self.fallback is not None:
            cases["fallback"] = [self.fallback.expected[row] for row in cases["row_ids"]]
        cases["made_by"] = [statement_of(self.recording, walk, composition, source) for source in answer["makers"]]
        return ServingPath(
            self.recording,
            prediction,
            table,
            composition,
            self._filters(composition),
            tuple(map(str, answer["fields"])),
            tuple(map(str, answer["target"])),
            self._signature(prediction, table, answer),
            cases,
            artifacts,
            tuple(self.notes),
            predicted,
            outcomes.job(self, prediction, table, predicted, equal=answer["target_how"] == "equal"),
            self.fallback,
        )

    def _settled(
        self, prediction: Prediction, table: Table, predicted: npt.NDArray[np.int64], training: Rows
    ) -> tuple[Walk, Composition, tuple[dict[str, Any], ...], dict[str, Any]]:
        """Compose and try until nothing new is learned of filters, frozen operations and the target: the last walk, what it made, and the trial's answer."""
        classes: dict[str, str] = {}
        undecided = True
        for _ in range(8):
            walk, composition = self.compose(prediction, table, predicted, Classes(classes, self.told))
            artifacts = self.staging.stage(composition)
            freezing = Freezing(
                self.recording, table.number, training, partial(self._replays, prediction, table, predicted, classes)
            )
            dependent = freezing.dependent(walk) if undecided and training else ()
            answer = self.trials.explore(prediction, table, predicted, composition, replay_only=bool(dependent))
            fresh = self._training_only(composition, answer, classes)
            classes = {**classes, **fresh}
            if fresh:
                continue
            if undecided and (dependent or answer["mismatches"]):
                undecided = False
                decided = freezing.decide(walk, dependent) if dependent else freezing.mend(walk)
                self.served = decided or self.served
                continue
            if not self._target_made_of(answer, prediction, table):
                break
        return walk, composition, artifacts, answer

    def _rows_of(self, prediction: Prediction) -> tuple[Table, npt.NDArray[np.int64]]:
        """The raw table, and the numbers of its rows that are predicted; of a predicting function, its calls."""
        if prediction.function is None:
            return raw_table.choose(self.recording, prediction, self.options.raw_table)
        self.notes.append(prediction.function.warning(self.recording))
        return prediction.function.table(self.recording), np.arange(len(prediction.function.calls))

    # composing --------------------------------------------------------------------------------------------------------

    def compose(
        self, prediction: Prediction, table: Table, predicted: npt.NDArray[np.int64], classes: Classes
    ) -> tuple[Walk, Composition]:
        walk = Walk(self.recording, table)
        held = frozenset(int(r) for r in predicted)
        walk.one_row = held if len(held) == 1 else frozenset()
        walk.held = held
        walk.served = self.served
        composer = Composer(walk, prediction, self.oracle, held, classes)
        if self.fallback is not None:
            composer.captures.beside(self.fallback.composition.captured)
        for step in self.recording.steps:
            for event in step.events:
                if event["kind"] == "filter" and walk.carries(event["before"]):
                    tree, _ = self.recording.statement(step.k)
                    if composer.choices.mode(tree, event) not in (VALIDITY, PARTIAL):
                        walk.identity.setdefault(step.k, set()).add(event["node"])
        if prediction.function is None:
            *before, last = prediction.steps
            for step in before:
                walk.keep(step)
            if prediction.name is None and prediction.node is not None:
                walk.scope[last.seq] = prediction.node
            walk.keep(last)
        composer.loops = walk.loops.served
        self._refused_operations(walk)
        composition = Emitter(composer).run()
        found = served_checks.check(self.recording, walk, composition)
        if found:
            raise Refused(found)
        return walk, composition

    def _refused_operations(self, walk: Walk) -> None:
        found = []
        for step in walk.kept.values():
            tree, _ = self.recording.statement(step.k)
            covered = walk.covered(step)
            for event in step.events:
                if event["kind"] in ("refuse", "reshape") and event["node"] not in covered:
                    place = tree.place(tree.nodes[event["node"]])
                    if event["kind"] == "reshape":
                        found.append(
                            Diagnostic(
                                "N12",
                                "error",
                                f"{event['name']} makes another number of rows: a request's row would not have one answer.",
                                "Predict on one row for each entity; put the reshaping before the table that is loaded, or serve its result.",
                                *place,
                            )
                        )
                    else:
                        found.append(Diagnostic(event["rule"], "error", event["why"], event["remedy"], *place))
        if found:
            raise Refused(tuple(dict.fromkeys(found)))

    # trying -----------------------------------------------------------------------------------------------------------

    def _target_made_of(self, answer: dict[str, Any], prediction: Prediction, table: Table) -> bool:
        """Where no single column decides `y`, find the columns that change it by serving `y` itself. True if that tells something new."""
        if (
            answer["target"]
            or answer["mismatches"]
            or answer["unsteady"]
            or self.made_of is not None
            or self.options.target
        ):
            return False
        self.made_of = []
        fit = self.trials.fitted(prediction, table)
        if fit is None:
            return False
        target = outcomes.fitted_target(self.recording, fit, table)
        if target is None:
            return False
        y, rows = target
        if not self.stage_target(y, table, rows):
            return True  # what was staged before must be staged again
        job = {**self.trials.job(y, table, rows), "y": True}
        by_value = answer.get("by_value", [])
        # A column that the features are made of stays a field, whatever else it is part of.
        self.made_of = [str(c) for c in self.trials.run(job)["changing"] if c not in by_value]
        return True

    def stage_target(self, y: Prediction, table: Table, rows: npt.NDArray[np.int64]) -> bool:
        """Stage modules that make `y`, fitted for these rows of the table; whether that can be done."""
        try:
            _, composition = self.compose(y, table, rows, Classes({}, {}, TRAINING_ONLY))
            self.staging.stage(composition)
        except Refused:
            return False
        self.staging.draft(table)
        return True

    def _replays(
        self,
        prediction: Prediction,
        table: Table,
        predicted: npt.NDArray[np.int64],
        classes: dict[str, str],
        served: Served,
    ) -> bool:
        """Whether the path, with its operations served so, gives the notebook's own answers for each row alone."""
        before, self.served = self.served, served
        try:
            _, composition = self.compose(prediction, table, predicted, Classes(classes, self.told))
            self.staging.stage(composition)
            answer = self.trials.explore(prediction, table, predicted, composition, replay_only=True)
        except Refused:
            return False
        finally:
            self.served = before
        return not answer.get("training_only") and not answer["mismatches"]

    def _training_only(
        self, composition: Composition, answer: dict[str, Any], classes: dict[str, str]
    ) -> dict[str, str]:
        fresh: dict[str, str] = {}
        for reason, why in (answer.get("training_only") or {}).items():
            for use in composition.filters:
                if reason.endswith(use.rule) and use.id not in classes:
                    fresh[use.id] = TRAINING_ONLY
                    self.evidence[use.id] = why
        for reason, why in (answer.get("partly") or {}).items():
            self.evidence |= {use.id: why for use in composition.filters if reason.endswith(use.rule)}
        return fresh

    # settling ---------------------------------------------------------------------------------------------------------

    def _signature(self, prediction: Prediction, table: Table, answer: dict[str, Any]) -> dict[str, Any]:
        return {
            "schema": 1,
            "notebook": self.recording.notebook.name,
            "raw_table": table.name or "rows",
            "row_kind": "frame",
            "columns": answer["columns"],
            "prediction": {"name": prediction.label or "prediction", **answer["prediction"]},
            "features": {"kind": answer.get("given_kind") or "other", "names": answer.get("names")},
            "batching": bool(answer.get("batching")),
            **({} if self.fallback is None else {"fallback": self.fallback.to_json()}),
            "owner": self.options.owner,
            "runbook": self.options.runbook,
        }

    def _filters(self, composition: Composition) -> tuple[FilterPlan, ...]:
        return tuple(
            FilterPlan(f.id, f.cell, f.line, f.source, f.klass, self._why(f.id, f.klass), f.before, f.after)
            for f in composition.filters
        )

    def _why(self, identity: str, klass: str) -> str:
        base = identity.rstrip("abcdefghijklmnopqrstuvwxyz")
        known = self.evidence.get(identity) or self.evidence.get(base)
        if known is not None:
            return known
        if klass == VALIDITY:
            return "its verdict on a row depends on that row alone, and not on the target"
        return "chooses rows of training"


def plan(
    recording: Recording,
    kernel: Kernel,
    options: Options,
    project: Path,
    progress: Progress,
    tries: Tries | None = None,
) -> ServingPath:
    """Make the plan for `recording`, staging modules and artifacts in `project` (which holds the runtime already).

    With `tries` given, running, its process is left as it is: it can still be asked for the edge cases. Otherwise one is used and ended here.
    """
    if tries is not None:
        return Planner(recording, kernel, options, project, progress, tries).run()
    with Tries(recording, project, ServedEnvironment(Path(recording.executable), own=False)) as own:
        return Planner(recording, kernel, options, project, progress, own).run()


__all__ = ["FilterPlan", "Planner", "ServingPath", "plan"]
