"""Runs a small program under the recorder in this process, as a kernel would run a cell."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nb2prod.recording.kernel.numbering import HOOK
from nb2prod.recording.kernel.recorder import Recorder

PREAMBLE = """
import numpy as np
import pandas as pd
df = pd.DataFrame({
    "a": [3.0, 1.0, None, 2.0, 5.0, 4.0],
    "b": ["x", "y", "x", None, "z", "y"],
    "c": [10, 20, 30, 40, 50, 60],
    "d": ["2024-01-01", "2024-02-01", "2024-03-01", "2024-01-05", "2024-06-01", "2024-07-09"],
})
"""


@dataclass
class Ran:
    """What came of a program: its variables and the recorder that watched."""

    names: dict[str, Any]
    recorder: Recorder

    def rows(self, name: str, table: int = 0) -> list[int] | None:
        """The raw rows that a variable carries; None if it carries none."""
        lineage = self.recorder.rows.of(self.names[name])
        if lineage is None or table not in lineage.tables:
            return None
        return [int(row) for row in lineage.tables[table]]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind, in order."""
        return [event for step in self.recorder.steps for event in step["events"] if event["kind"] == kind]


def run(program: str, folder: Path, preamble: str = PREAMBLE) -> Ran:
    """Run `preamble` and `program`, each as one cell."""
    names: dict[str, Any] = {"__name__": "__main__"}
    recorder = Recorder(str(folder), {}, names)
    before = getattr(builtins, HOOK, None)
    setattr(builtins, HOOK, recorder)
    try:
        for text in (preamble, program):
            exec(compile(recorder.visit(ast.parse(text)), "<cell>", "exec"), names)
    finally:
        recorder.active = False
        if before is None:
            delattr(builtins, HOOK)
        else:
            setattr(builtins, HOOK, before)
    assert recorder.problems == [], recorder.problems[0]
    return Ran(names, recorder)
