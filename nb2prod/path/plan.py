"""The plan: the serving path with everything that was settled by trying it, or the diagnostics that say why there is none."""

from __future__ import annotations

import ast
import contextlib
import copy
import json
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
from nb2prod.path.blame import mismatch_diagnostics, statement_of, unsaved_diagnostic
from nb2prod.path.captures import CapturedValue
from nb2prod.path.compose import PARTIAL, TRAINING_ONLY, VALIDITY, Classes, Composer, Composition
from nb2prod.path.emit import Emitter
from nb2prod.path.fallback import Fallback
from nb2prod.path.freezing import Freezing, Rows, rows_learned_from
from nb2prod.path.kernel import KernelOracle
from nb2prod.path.looked_up import only_looked_up
from nb2prod.path.prediction import Prediction
from nb2prod.path.serving_path import FilterPlan, ServingPath, together
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
        self._made_of: list[str] | None = None
        self.fallback: Fallback | None = None
        self.told: dict[str, str] = {}
        self.served = Served()

    def run(self) -> ServingPath:
        """Choose, walk, compose, try, settle. Raises `Refused` with everything that stands in the way."""
        prediction = predictions.choose(self.recording, self.options.prediction)
        name = None if self.options.prediction else predictions.made_of_columns(self.recording, prediction)
        if name is not None:
            other = copy.copy(self)
            other.notes, other.options = [], replace(self.options, prediction=name)
            with contextlib.suppress(Refused):
                made = other.plan_for(predictions.choose(self.recording, name))
                # Where the table has the target and it is not known, the value may be the prediction's error.
                if made.target or self._fitted(made.prediction, made.table) is None:
                    return made
        return self.plan_for(prediction)

    def plan_for(self, prediction: Prediction) -> ServingPath:
        """The plan for this prediction. Raises `Refused`."""
        if prediction.function is not None:
            table, predicted = prediction.function.table(self.recording), np.arange(len(prediction.function.calls))
            self.notes.append(prediction.function.warning(self.recording))
        else:
            table, predicted = raw_table.choose(self.recording, prediction, self.options.raw_table)
        self.fallback = fallback.plan(self, table, predicted)
        training = self._training_rows(prediction, table)
        told = filters.told(self.recording, self.options.filters, TRAINING_ONLY, table.number, training)
        self.told, self.evidence = dict(told.classes), dict(told.evidence)
        classes: dict[str, str] = {}
        undecided = True
        for _ in range(8):
            walk, composition = self._compose(prediction, table, predicted, Classes(classes, self.told))
            artifacts = self._stage(composition)
            freezing = Freezing(
                self.recording, table.number, training, partial(self._replays, prediction, table, predicted, classes)
            )
            dependent = freezing.dependent(walk) if undecided and training else ()
            answer = self._explore(prediction, table, predicted, composition, replay_only=bool(dependent))
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
        if answer["mismatches"] or answer["unsteady"]:
            raise Refused(mismatch_diagnostics(self.recording, walk, answer))
        self.notes += columns_check.check(answer, table, self.options)
        self.notes += findings.of_predicted_rows(
            self.recording, walk, composition.captured, findings.Groups(frozenset(predicted.tolist()), training)
        )
        signature = self._signature(prediction, table, answer)
        cases = {key: answer[key] for key in ("rows", "expected", "row_ids", "given", "phantoms")}
        if self.fallback is not None:
            cases["fallback"] = [self.fallback.expected[row] for row in cases["row_ids"]]
        cases |= {"precision": answer["precision"], "unread": answer["unread"]}
        cases["made_by"] = [statement_of(self.recording, walk, composition, source) for source in answer["makers"]]
        return ServingPath(
            self.recording,
            prediction,
            table,
            composition,
            self._filters(composition),
            tuple(map(str, answer["fields"])),
            tuple(map(str, answer["target"])),
            signature,
            cases,
            artifacts,
            tuple(self.notes),
            predicted,
            outcomes.job(self, prediction, table, predicted, equal=answer["target_how"] == "equal"),
            self.fallback,
        )

    # composing --------------------------------------------------------------------------------------------------------

    def _compose(
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
                    if composer.mode(tree, event) not in (VALIDITY, PARTIAL):
                        walk.identity.setdefault(step.k, set()).add(event["node"])
        if prediction.function is None:
            *before, last = prediction.steps
            for step in before:
                walk.keep(step)
            if prediction.name is None and prediction.node is not None:
                walk.scope[last.seq] = prediction.node
            walk.keep(last)
        composer.loops = walk.kept_loops
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
                    line = tree.line(tree.nodes[event["node"]])
                    place = (
                        tree.cell.number if tree.cell else None,
                        line,
                        tree.cell.text_of(line) if tree.cell else "",
                    )
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

    def _stage(self, composition: Composition) -> tuple[dict[str, Any], ...]:
        """Write modules, artifacts and manifest into the project folder."""
        from nb2prod.runtime import artifacts

        (self.project / "features.py").write_text(composition.features)
        (self.project / "predict.py").write_text(composition.predict)
        if self.fallback is not None:
            (self.project / "fallback.py").write_text(self.fallback.source)
        values = together(composition, self.fallback)
        folder = self.project / "artifacts"
        jobs: list[dict[str, Any]] = [
            {
                "name": v.name if not v.keyed else f"{v.name}__{i}",
                "snapshot": snapshot,
                "path": str(self._snapshot(snapshot)),
            }
            for v in values
            for i, (_, snapshot) in enumerate(v.entries)
        ]
        for job in jobs:
            reason = self.recording.snapshots[job["snapshot"]].get("unsaved")
            if reason:
                raise Refused([unsaved_diagnostic(self.recording, composition, job["name"], reason)])
        if folder.exists():
            for old in folder.iterdir():
                old.unlink()
        done = self.oracle.save(jobs, folder, self.project)
        made = dict(zip((j["name"] for j in jobs), done, strict=True))
        for name, entry in made.items():
            if "problem" in entry:
                raise Refused([unsaved_diagnostic(self.recording, composition, name, entry["problem"])])
        sources = [composition.features, composition.predict, *([self.fallback.source] if self.fallback else [])]
        shared = only_looked_up(sources)
        entries = [_manifest_entry(v, made, shared) for v in values]
        artifacts.write_manifest(folder, entries, self.recording.settings)
        return tuple(entries)

    # trying -----------------------------------------------------------------------------------------------------------

    def _job(self, prediction: Prediction, table: Table, predicted: npt.NDArray[np.int64]) -> dict[str, Any]:
        folder = self.recording.folder
        np.save(folder / "predicted.npy", predicted)
        given = prediction.event[1].get("given") if prediction.event else None
        function = prediction.function
        return {
            "calls": [c.arguments for c in function.calls] if function else None,
            "outputs": [str(self._snapshot(c.output)) for c in function.calls] if function else None,
            "project": str(self.project),
            "raw": str(table.path),
            "predicted": str(folder / "predicted.npy"),
            "expected": str(self._snapshot(prediction.snapshot)),
            "given": str(self._snapshot(given)) if given else None,
            "tolerance": self.options.tolerance,
            "tolerances": dict(self.options.tolerances),
            "output": prediction.label or "prediction",
            "target": list(self.options.target) or self._made_of or [],
            "fields": list(table.columns) if function else [*self.options.fields, *self._rule_fields()],
            "fit": self._fit(prediction, table),
        }

    def _target_made_of(self, answer: dict[str, Any], prediction: Prediction, table: Table) -> bool:
        """Where no single column decides `y`, find the columns that change it by serving `y` itself. True if that tells something new."""
        if (
            answer["target"]
            or answer["mismatches"]
            or answer["unsteady"]
            or self._made_of is not None
            or self.options.target
        ):
            return False
        self._made_of = []
        fit = self._fitted(prediction, table)
        if fit is None:
            return False
        target = outcomes.fitted_target(self.recording, fit, table)
        if target is None:
            return False
        y, rows = target
        if not self.stage_target(y, table, rows):
            return True  # what was staged before must be staged again
        job = {**self._job(y, table, rows), "y": True}
        by_value = answer.get("by_value", [])
        # A column that the features are made of stays a field, whatever else it is part of.
        self._made_of = [str(c) for c in self._trial(job)["changing"] if c not in by_value]
        return True

    def stage_target(self, y: Prediction, table: Table, rows: npt.NDArray[np.int64]) -> bool:
        """Stage modules that make `y`, fitted for these rows of the table; whether that can be done."""
        try:
            _, composition = self._compose(y, table, rows, Classes({}, {}, TRAINING_ONLY))
            self._stage(composition)
        except Refused:
            return False
        self._draft(table)
        return True

    def _rule_fields(self) -> tuple[str, ...]:
        """What the answer by rule needs of a request."""
        return () if self.fallback is None else self.fallback.fields

    def _snapshot(self, number: int) -> Path:
        return self.recording.folder / "snapshots" / f"{number}.pkl"

    def _fit(self, prediction: Prediction, table: Table) -> dict[str, Any] | None:
        """The last fit before the prediction whose y has rows of the raw table, or of another (`raw`): train and test may be two files."""
        others = [t for t in reversed(self.recording.tables) if t.number != table.number]
        for one in (table, *others):
            fit = self._fitted(prediction, one)
            if fit is None:
                continue
            path = self.recording.folder / "fit_rows.npy"
            rows = self.recording.rows_of(fit["lineage"], one.number)
            assert rows is not None
            np.save(path, rows)
            known = {"y": str(self._snapshot(fit["y"])), "rows": str(path)}
            return known if one is table else {**known, "raw": str(one.path)}
        return None

    def _fitted(self, prediction: Prediction, table: Table) -> dict[str, Any] | None:
        last = prediction.steps[-1].seq
        # A function may fit and predict in one call: what it did comes after the call's own number and before the next statement's.
        end = min((s.seq for s in self.recording.by_frame.get(0, []) if s.seq > last), default=last + 10**9)
        for fit in outcomes.own_first(self.recording, prediction):
            rows = self.recording.rows_of(fit["lineage"], table.number)
            if fit["seq"] < end and rows is not None and (rows >= 0).any():
                return dict(fit)
        return None

    def _training_rows(self, prediction: Prediction, table: Table) -> Rows:
        """The rows that the model was fitted to."""
        for one in (table, *reversed(self.recording.tables)):
            fit = self._fitted(prediction, one)
            if fit is not None:
                return rows_learned_from(self.recording, fit["lineage"])
        return {}

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
            _, composition = self._compose(prediction, table, predicted, Classes(classes, self.told))
            self._stage(composition)
            answer = self._explore(prediction, table, predicted, composition, replay_only=True)
        except Refused:
            return False
        finally:
            self.served = before
        return not answer.get("training_only") and not answer["mismatches"]

    def _explore(
        self,
        prediction: Prediction,
        table: Table,
        predicted: npt.NDArray[np.int64],
        composition: Composition,
        *,
        replay_only: bool = False,
    ) -> dict[str, Any]:
        self._draft(table)
        settled = set(self.options.filters)
        open_rules = [f.id for f in composition.filters if f.klass == VALIDITY and f.id not in settled]
        rules = [f.rule for f in composition.filters]
        job = {
            **self._job(prediction, table, predicted),
            "filters": open_rules,
            "rules": rules,
            "replay_only": replay_only,
        }
        if not self._features_are_given(prediction, composition):
            job["given"] = None
        return self._trial(job)

    def _features_are_given(self, prediction: Prediction, composition: Composition) -> bool:
        """Whether what `features` returns (first) is what the model is given: the post-processing may need more of the table."""
        if composition.argument is not None or prediction.event is None:
            return True
        step, event = prediction.event
        tree, _ = self.recording.statement(step.k)
        argument = tree.nodes[event["argument"]] if event.get("argument") is not None else None
        return isinstance(argument, ast.Name) and composition.returns[:1] == (argument.id,)

    def _draft(self, table: Table) -> None:
        """A signature that takes every column as it is, for the trials."""
        draft = {
            "schema": 1,
            "columns": [
                {"name": str(c), "dtype": "object", "type": "any", "field": True, "nullable": True}
                for c in table.columns
            ],
        }
        (self.project / "signature.json").write_text(json.dumps(draft))

    def _trial(self, job: dict[str, Any]) -> dict[str, Any]:
        """Try the project as it is staged now, on what the kernel hands over."""
        given = {
            key: self.handed(job[key]) for key in ("raw", "expected", "given") if job.get(key) and not job.get("calls")
        }
        fit = {
            key: self.handed(value) if key in ("raw", "y") else value for key, value in (job.get("fit") or {}).items()
        }
        outputs = [self.handed(path) for path in job.get("outputs") or ()]
        return self.tries.run({**job, **given, "fit": fit, "outputs": outputs, "beside": raw_table.beside(self, job)})

    def handed(self, path: str) -> str:
        """A file of the kernel's as one that the trial reads."""
        return str(self.oracle.hand_over(Path(path), self.project))

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


def _manifest_entry(value: CapturedValue, made: dict[str, Any], shared: frozenset[str]) -> dict[str, Any]:
    head: dict[str, Any] = {"name": value.name, "cell": value.cell, "line": value.line, "reason": value.reason}
    if not value.keyed:
        done = made[value.name]
        if value.name in shared:
            head["only_looked_up"] = True
        return {**head, "file": done["file"], "format": done["format"], "sha256": done["sha256"], "key": None}
    entries = []
    for i, (key, _) in enumerate(value.entries):
        done = made[f"{value.name}__{i}"]
        entries.append({"key": list(key), "file": done["file"], "format": done["format"], "sha256": done["sha256"]})
    return {**head, "keyed": list(value.keyed), "entries": entries}


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
