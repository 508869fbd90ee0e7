"""A notebook recorded, planned and generated in this process, and its service asked: a build without kernel, Bento and HTTP."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from nb2prod.config import Options
from nb2prod.path.serving_path import ServingPath
from nb2prod.runtime.model import Model
from nb2prod.runtime.rows import Decoder
from tests.path.inprocess import plan

Cells = Sequence[tuple[str | None, str]]
"""Tag and source of each cell."""


@dataclass(frozen=True)
class Answered:
    """What the service makes of one row: a prediction, or why there is none (``refused`` by the types of a request, ``row_refused``, ``row_failed``)."""

    value: Any
    why: str | None = None
    words: str = ""


class Service:
    """The service that was planned for a notebook."""

    def __init__(self, planned: ServingPath, project: Path) -> None:
        self.planned, self.project = planned, project
        (project / "signature.json").write_text(json.dumps({**planned.signature, "model": {"name": "book"}}))
        self.model = Model.load(project)
        self.decoder = Decoder(self.model.signature)

    def ask(self, rows: Sequence[dict[str, Any]]) -> list[Answered]:
        """One outcome a row; a row is what a request holds, by field."""
        fields = [column.key for column in self.model.signature.fields]
        decoded = self.decoder.check({"rows": [{key: row[key] for key in fields} for row in rows]})
        outcomes: list[Answered] = [Answered(None)] * len(rows)
        for problem in decoded.problems:
            assert problem.row is not None, problem.reason
            outcomes[problem.row] = Answered(None, "refused", problem.reason)
        answer = self.model.predict(decoded.frame)
        for at, value in zip(decoded.positions, answer.predictions, strict=True):
            outcomes[at] = Answered(value)
        for error in answer.errors:
            outcomes[decoded.positions[error.row]] = Answered(None, error.code, error.reason)
        return outcomes

    def request(self, raw: pd.DataFrame, at: int) -> dict[str, Any]:
        """The row at a position of a raw table as JSON holds it, every column."""
        return {str(name): _json(raw[name].iloc[at]) for name in raw.columns}


def _json(value: Any) -> Any:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value


def build(cells: Cells, folder: Path) -> Service:
    """Run the cells under the recorder, in `folder`, and plan the service. Raises `Refused`."""
    with as_main() as main:
        return Service(plan(cells, folder, Options(), vars(main)), folder / "project")


@contextlib.contextmanager
def as_main() -> Iterator[ModuleType]:
    """A module that is ``__main__`` meanwhile: the notebook's classes and functions live there, as in a kernel."""
    main, before = ModuleType("__main__"), sys.modules["__main__"]
    sys.modules["__main__"] = main
    try:
        with np.errstate(all="ignore"):
            yield main
    finally:
        sys.modules["__main__"] = before
