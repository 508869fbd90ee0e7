"""Prediction by a function of plain values: its parameters are the request, the notebook's own calls are what it must answer alike."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import Any

from nb2prod.diagnostics import Diagnostic
from nb2prod.recording.states import Part, Seen
from nb2prod.recording.trace import FrameInfo, Recording, Step, Table

NUMBER = -1
"""The number of the table that the calls make: no table of the recording has it, so nothing else carries its rows."""


@dataclass(frozen=True)
class Call:
    """One call of the predicting function: its arguments by parameter and the snapshot of what it returned."""

    step: Step
    frame: int
    arguments: dict[str, Any]
    output: int
    state: int | None = None
    """The state in which the function was."""


@dataclass(frozen=True)
class PredictingFunction:
    """A function of the notebook that asks the model, with the calls of it that the notebook made."""

    name: str
    parameters: tuple[str, ...]
    calls: tuple[Call, ...]

    def table(self, recording: Recording) -> Table:
        """The calls as a table: one row a call, one column a parameter. The trial writes it, in the kernel's own Python."""
        path = recording.folder / "calls.json"
        return Table(NUMBER, path, len(self.calls), self.parameters, "frame", self.name, None, named=True)

    def frames(self, recording: Recording) -> frozenset[int]:
        """The followed calls: the function's own and those that it made."""
        inside = {c.frame for c in self.calls}
        for info in sorted(recording.frames.values(), key=lambda f: f.frame):
            if info.outer in inside:
                inside.add(info.frame)
        return frozenset(inside)

    def warning(self, recording: Recording) -> Diagnostic:
        """That the feature cells do not serve."""
        tree, node = recording.statement(self.calls[-1].step.k)
        return Diagnostic(
            "P2",
            "warning",
            f"Predictions are made by {self.name}({', '.join(self.parameters)}): its parameters are the request, and the feature cells lie off the path.",
            "Check that the function prepares its values as the feature cells do, or predict on rows of the table: model.predict(X_test).",
            *tree.place(node),
        )


def find(recording: Recording, wanted: str | None) -> PredictingFunction | None:
    """The function that made the last such prediction (or the one called `wanted`); None if the notebook has none.

    A call counts once: the same arguments with the same answer are one case.
    """
    found: dict[str, dict[str, Call]] = {}
    last: str | None = None
    for step in recording.by_frame.get(0, []):
        for event in step.events:
            if event["kind"] != "called" or wanted not in (None, event["name"]):
                continue
            last = event["name"]
            call = Call(step, event["frame"], event["arguments"], event["output"], event.get("state"))
            of_name = found.setdefault(last, {})
            if of_name and list(next(iter(of_name.values())).arguments) != list(call.arguments):
                of_name.clear()  # defined anew with other parameters: the later one counts
            of_name[json.dumps(call.arguments, sort_keys=True)] = call
    if last is None:
        return None
    calls = _of_one_state(recording, list(found[last].values()))
    return PredictingFunction(last, tuple(calls[0].arguments), calls)


def _of_one_state(recording: Recording, calls: list[Call]) -> tuple[Call, ...]:
    """The calls that were made as the last one was: a model fitted anew between them makes others of those before."""
    marks: dict[int, str] = {}

    def mark(call: Call) -> str:
        if call.state is None:
            return ""
        if call.state not in marks:
            marks[call.state] = repr([_read_by(recording, part) for part in recording.states[call.state]])
        return marks[call.state]

    last = max(calls, key=lambda call: call.step.seq)
    return tuple(call for call in calls if mark(call) == mark(last))


def _read_by(recording: Recording, part: Part) -> list[object]:
    """What a definition read: its statement, and each name with what it stood for."""
    read: list[tuple[object, Seen]] = [*part.calling.items(), *part.held.items()]
    return [part.k, *((name, one.kind, recording.content(one.snapshot)) for name, one in read)]


def definition(recording: Recording, frame: FrameInfo) -> ast.stmt:
    """The function's definition that a followed call ran."""
    return recording.statement(frame.k)[1]
