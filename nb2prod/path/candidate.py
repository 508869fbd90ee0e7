"""A value that may be the prediction."""

from __future__ import annotations

from dataclasses import dataclass

from nb2prod.recording.trace import Recording, Step


@dataclass
class Candidate:
    steps: list[Step]
    name: str | None
    node: int | None
    snapshot: int
    lineage: int
    token: int | None
    predicted: bool
    column: str | None = None
    altered: bool = False
    """Whether it is another value than the model gave."""


def steps_of(candidates: list[Candidate]) -> list[Step]:
    """The steps that make these, in the order in which they ran."""
    return sorted({s.seq: s for c in candidates for s in c.steps}.values(), key=lambda s: s.seq)


def same_rows(recording: Recording, a: int, b: int) -> bool:
    if a == b:
        return True
    if recording.length_of(a) != recording.length_of(b):
        return False
    for table in recording.tables_of(a):
        left, right = recording.rows_of(a, table), recording.rows_of(b, table)
        if left is not None and right is not None:
            return bool((left == right).all())
    return False


def narrow(recording: Recording, candidate: Candidate) -> bool:
    """Without a model's call, only a vector can be taken for the prediction."""
    shape = recording.snapshots[candidate.snapshot]["text"]
    return "of shape" not in shape or shape.endswith(",)") or shape.rstrip(")").endswith(", 1")


def in_predict_cell(recording: Recording, step: Step) -> bool:
    cell = recording.trees[recording.statements[step.k].tree].cell
    return cell is not None and "predict" in cell.tags
