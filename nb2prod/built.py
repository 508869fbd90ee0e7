"""What a build gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2prod.diagnostics import Diagnostic
from nb2prod.parity.report import ParityReport
from nb2prod.path.planned import Plan

if TYPE_CHECKING:
    from nb2prod.evaluation.evaluation import Evaluation


@dataclass(frozen=True)
class BuildResult:
    """What came of a build."""

    bento: str | None
    """`name:version` in BentoML's store; None where the proof found differences."""
    diagnostics: tuple[Diagnostic, ...]
    """Warnings and notes; what refuses a notebook is raised as `Refused`."""
    plan: Plan
    parity: ParityReport
    seconds: Mapping[str, float]
    """Time of each stage and their `total`."""
    record: Path | None = None
    """Folder of the release record, or of the failed proof's report."""
    metrics: Evaluation | None = None
    """How well the predicted rows were predicted."""

    def to_json(self) -> dict[str, Any]:
        """The document of `build --json`."""
        document = self.plan.document
        return {
            "bento": self.bento,
            "path": document,
            "parity": self.parity.summary(),
            "metrics": None if self.metrics is None else self.metrics.summary(),
            "captured": document.get("captured", []),
            "diagnostics": [d.to_json() for d in self.diagnostics],
            "seconds": {k: round(v, 3) for k, v in self.seconds.items()},
            "record": str(self.record) if self.record else None,
        }
