"""Arrays whose rows run across: transposed ones, and the answers of several models laid one below the other."""

from __future__ import annotations

import sys
from typing import Any

from .lineage import Kinds, Lineage, Rows
from .operation import NONE, Operation, Outcome

STACKING = frozenset({"array", "asarray", "vstack", "row_stack", "stack"})
PRODUCTS = frozenset({"MatMult", "dot", "matmul"})


def turned(op: Operation, rows: Rows, carried: list[tuple[Any, Lineage]]) -> Outcome | None:
    """Where rows run across, or begin to; None elsewhere."""
    if op.name in ("T", "transpose") and op.receiver is not None and not op.args:
        lineage = rows.of(op.receiver)
        if lineage is not None:
            return Outcome(lineage if getattr(op.result, "ndim", 1) == 1 else lineage.turned())
    across = [x for v, x in carried if x.upright is not None and Kinds.array(v)] if Kinds.array(op.result) else []
    return _of_across(op, across[0]) if across else None


def laid_across(op: Operation, rows: Rows) -> Lineage | None:
    """``np.array([one, other])`` of vectors with an entry for each row: the rows run across."""
    parts = op.args[0] if op.args and isinstance(op.args[0], (list, tuple)) else ()
    if op.name not in STACKING or not parts or not Kinds.array(op.result) or op.result.ndim != 2:
        return None
    lineages = [rows.of(part) for part in parts]
    first = lineages[0]
    vectors = all(x is not None and x.n == op.result.shape[1] and not x.single for x in lineages)
    flat = all(getattr(part, "ndim", 1) == 1 for part in parts)
    return first.turned() if first is not None and vectors and flat and op.result.shape[0] == len(parts) else None


def parts_by_row(op: Operation, rows: Rows) -> list[Any]:
    """Arrays of a result that hold an entry for each row of what runs across (the two of ``stats.mode(votes, axis=0)``), noted as such."""
    across = [x for v in op.operands if Kinds.array(v) and (x := rows.of(v)) is not None and x.upright is not None]
    if not across or not isinstance(op.result, tuple) or not _down(op):
        return []
    upright = across[0].turned()
    found = [part for part in op.result if Kinds.array(part) and part.shape == (upright.n,)]
    for part in found:
        rows.put(part, upright)
    return found


def _of_across(op: Operation, lineage: Lineage) -> Outcome:
    """What is made of an array whose rows run across: across still, or with an entry for each (``votes.sum(axis=0)``, ``votes[0]``)."""
    result, upright = op.result, lineage.turned()
    if op.kind == "subscript" and isinstance(op.key, tuple) and len(op.key) == 2 and op.key[1] is not Ellipsis:
        return _chosen(op, lineage, upright)
    if result.ndim == 2 and (result.shape in [v.shape for v in op.operands if Kinds.array(v)]):
        return Outcome(lineage)
    if result.ndim == 2 and result.shape[1] == upright.n and (op.kind == "subscript" or op.name in PRODUCTS):
        return Outcome(lineage)
    by_row = op.kind == "subscript" or op.name in PRODUCTS or _down(op)
    return Outcome(upright) if by_row and result.shape == (upright.n,) else NONE


def _chosen(op: Operation, lineage: Lineage, upright: Lineage) -> Outcome:
    """``X[:, 100:]``: rows chosen by their place along the second axis."""
    np = sys.modules["numpy"]
    try:
        positions = np.arange(upright.n)[op.key[1]]
    except Exception:  # no key of rows
        return NONE
    if getattr(positions, "ndim", 0) != 1 or len(positions) != op.result.shape[-1]:
        return NONE
    taken = upright.take(positions)
    chosen = taken if op.result.ndim == 1 else taken.turned()
    if np.array_equal(positions, np.arange(upright.n)):
        return Outcome(upright if op.result.ndim == 1 else lineage)
    return Outcome(chosen, "select", upright, op.receiver)


def _down(op: Operation) -> bool:
    """Whether an operation goes down the first axis."""
    axis = op.kwargs.get("axis", op.args[-1] if op.args else None)
    return isinstance(axis, int) and not isinstance(axis, bool) and axis == 0
