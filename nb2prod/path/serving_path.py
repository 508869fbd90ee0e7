"""The serving path: what a plan gives, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nb2prod.diagnostics import Diagnostic
from nb2prod.path.captures import CapturedValue
from nb2prod.path.composition import Composition
from nb2prod.path.fallback import Fallback
from nb2prod.path.outcomes import OutcomesJob
from nb2prod.path.prediction import Prediction
from nb2prod.recording.trace import Recording, Table


@dataclass(frozen=True)
class FilterPlan:
    """A filter of the notebook on the path: how it is served and why."""

    id: str
    cell: int | None
    line: int | None
    source: str
    klass: str
    evidence: str
    before: int
    after: int

    def to_json(self) -> dict[str, Any]:
        """As `build --json` and the release record list it."""
        return {
            "id": self.id,
            "cell": self.cell,
            "line": self.line,
            "source": self.source,
            "class": self.klass,
            "evidence": self.evidence,
            "rows_before": self.before,
            "rows_after": self.after,
        }


_AS_CODE = "cloudpickle"


@dataclass(frozen=True)
class ServingPath:
    """What the service is made of. `project` holds the staged artifacts; `cases` the parity cases (cases.json without its head)."""

    recording: Recording
    prediction: Prediction
    table: Table
    composition: Composition
    filters: tuple[FilterPlan, ...]
    fields: tuple[str, ...]
    target: tuple[str, ...]
    signature: dict[str, Any]
    cases: dict[str, Any]
    artifacts: tuple[dict[str, Any], ...]
    diagnostics: tuple[Diagnostic, ...]
    predicted: npt.NDArray[np.int64]
    outcomes: OutcomesJob
    """What is to be found out of the true values of the predicted rows."""
    fallback: Fallback | None = None

    @property
    def captured(self) -> tuple[CapturedValue, ...]:
        """The captured values, those of the answer by rule included."""
        return together(self.composition, self.fallback)

    @property
    def as_code(self) -> frozenset[str]:
        """The captured values that no format for data holds: cloudpickle keeps them, as code."""
        return frozenset(a["name"] for a in self.artifacts if _AS_CODE in {e["format"] for e in a.get("entries", [a])})

    def to_json(self) -> dict[str, Any]:
        """The plan as the release record keeps it."""
        return {
            "schema": 1,
            "notebook": self.recording.notebook.name,
            "raw_table": self.table.name,
            "fields": list(self.fields),
            "target": list(self.target),
            "prediction": self.prediction.label,
            "other_predictions": list(self.prediction.others),
            "path": [{"cell": c, "line": n, "source": s} for c, n, s in self.composition.lines],
            "captured": [{**v.to_json(), "as_code": v.name in self.as_code} for v in self.captured],
            "filters": [f.to_json() for f in self.filters],
            "frozen": [
                {"operation": f.op, "rule": f.rule, "cell": f.cell, "line": f.line, "source": f.source}
                for f in self.composition.frozen
            ],
            "batching": self.signature["batching"],
            "fallback": None
            if self.fallback is None
            else [{"cell": c, "line": n, "source": s} for c, n, s in self.fallback.composition.lines],
        }


def together(composition: Composition, rules: Fallback | None) -> tuple[CapturedValue, ...]:
    """The captured values of both modules, each name once."""
    more = () if rules is None else rules.composition.captured
    return tuple({value.name: value for value in (*composition.captured, *more)}.values())
