"""A statement has run: what it read, bound, changed and gave is written as a step of the trace."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from .frames import Frame, Step
from .library_settings import differing
from .lineage import SCALARS, length
from .sites import Statement
from .snapshots import type_name

if TYPE_CHECKING:
    from .recorder import Recorder

MOST_EXECUTIONS = 3000
ANSWERING = frozenset({"predict", "derived", "called", "bound", "written", "shown"})
"""Events of which a statement makes an answer."""


class Statements:
    """Writes the steps of the trace."""

    def __init__(self, run: Recorder) -> None:
        self.run = run
        self._executions: dict[tuple[int, int], int] = {}

    def finish(self, step: Step, space: dict[str, Any], value: Any, has_value: bool) -> None:
        frame, statement = step.frame, self.run.tables.statements[step.k]
        if step.touched:
            self._touched(frame)
        idle = self._names_of_idle_code(step, statement, space)
        written = {id(space.get(name, self.run.ns.get(name))) for name in statement.written}
        updates = self.run.updates.of(step, written, statement.column[1] if statement.column is not None else None)
        self.run.predictions.written(step, statement, space)
        binds = self._binds(step, statement, space)
        result = self._carried(value) if has_value else None
        self.run.predictions.bound(step, statement, binds, space, value)
        header = statement.kind in ("For", "If", "While")
        # An assignment into rows may happen to change none in this iteration; what it read is needed all the same.
        writes = statement.kind in ("Assign", "AugAssign") and not statement.binds
        # A function that a call makes is served by that call: what this took of rows is kept.
        makes = any(isinstance(space.get(name), types.FunctionType) for name in statement.binds if step.events)
        keep = bool(binds or updates or result or step.carries or header or frame.number or writes or makes)
        count = self._executions[step.k, frame.number] = self._executions.get((step.k, frame.number), 0) + 1
        if count > MOST_EXECUTIONS:
            return
        record = {
            "seq": step.seq,
            "k": step.k,
            "frame": frame.number,
            "kind": "header" if header else "step",
            "loops": self.run.places(frame),
            "reads": [
                self.run.reads.read(
                    site, v, keep or (step.called and isinstance(v, types.FunctionType)), ran=site not in idle
                )
                for site, v in step.names.items()
            ],
            "binds": binds,
            "updates": updates,
            "result": result,
            "events": [self._event(e, keep) for e in step.events],
        }
        self.run.steps.append(record)
        if any(event["kind"] in ANSWERING for event in step.events):
            self.run.settings = differing()
        if not frame.number and not frame.loops:
            self.run.predictions.changed(record, set(updates))

    def _touched(self, frame: Frame) -> None:
        """A statement of this frame has touched rows: what runs there is still to be followed."""
        for loop in frame.loops:
            loop.quiet = 0
        if frame.k is not None:
            self.run.calls.quiet[frame.k] = 0
        if frame.parent is not None:
            # A function that reads a table by its name works on rows, whatever it is given.
            frame.parent.touched = True

    def _names_of_idle_code(self, step: Step, statement: Statement, space: dict[str, Any]) -> set[int]:
        """Add what lambdas of the statement would have read that have not run; their sites."""
        sites = self.run.tables.sites
        idle, ran = set(), {sites[site].node for site in step.names}
        for site in self.run.tables.lambdas.get((statement.tree, statement.node), ()):
            name = sites[site].name
            if site not in step.names and sites[site].node not in ran and (name in space or name in self.run.ns):
                step.names[site] = space.get(name, self.run.ns.get(name))
                idle.add(site)
        return idle

    def _binds(self, step: Step, statement: Statement, space: dict[str, Any]) -> list[list[Any]]:
        """What the statement bound to rows; for the notebook's own statement also what functions bound to global names."""
        binds: list[list[Any]] = []
        for name in statement.binds:
            if name in space:
                if statement.kind == "AugAssign" and length(space[name]) > 1:
                    self.run.predictions.added_up(step, space[name])
                self.bind(name, space[name], binds)
            elif _is_global(step.frame, name) and name in self.run.ns:
                self.bind(name, self.run.ns[name], binds)
                _outermost(step).rebound.add(name)
        if not step.frame.number:
            for name in sorted(step.rebound.difference(statement.binds)):
                self.bind(name, self.run.ns[name], binds)
        return binds

    def bind(self, name: str, value: Any, binds: list[list[Any]]) -> None:
        if isinstance(value, SCALARS):
            return
        token = self.run.rows.token(value)
        if token is not None:
            lineage = self.run.rows.of(value)
            binds.append([name, token, self.run.serial(lineage) if lineage else None])
            if lineage is not None:
                for table in lineage.tables:
                    if self.run.raw[table]["name"] is None and isinstance(lineage.tables[table], range):
                        self.run.raw[table]["name"] = name
            return
        tokens = self.run.tokens_inside(value)
        holder = self.run.rows.holder(value)
        if tokens or holder is not None:
            binds.append([name, None, None, tokens + ([] if holder is None else [holder])])

    def _event(self, event: dict[str, Any], keep: bool) -> dict[str, Any]:
        if "value" not in event:
            return event
        value = event.pop("value")
        event["snapshot"] = (
            self.run.reads.kept(value)
            if keep and not isinstance(value, (types.ModuleType, types.GeneratorType))
            else None
        )
        event["type"] = type_name(value)
        return event

    def _carried(self, value: Any) -> Any:
        if isinstance(value, SCALARS):
            return None
        token = self.run.rows.token(value)
        if token is not None:
            lineage = self.run.rows.of(value)
            return [token, self.run.serial(lineage) if lineage else None]
        inside = self.run.rows.inside(value)
        return [None, None, [self.run.rows.token(v) for v, _ in inside]] if inside else None


def _is_global(frame: Frame, name: str) -> bool:
    """Whether a function that binds this name means the notebook's variable: it says ``global``."""
    code = frame.code
    return code is not None and name in code.co_names and name not in (*code.co_varnames, *code.co_cellvars)


def _outermost(step: Step) -> Step:
    """The notebook's own statement that a function's statement runs for."""
    while step.frame.parent is not None:
        step = step.frame.parent
    return step
