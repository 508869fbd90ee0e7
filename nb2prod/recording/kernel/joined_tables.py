"""Which rows a table has that is put together of others: stacked, side by side, or by keys."""

from __future__ import annotations

import sys
from typing import Any

from .chosen_rows import joined
from .lineage import Kinds, Rows, concatenated, length, merged
from .operation import NONE, Operation, Outcome


def concat(op: Operation, rows: Rows) -> Outcome:
    objects = op.args[0] if op.args else op.kwargs.get("objs")
    parts = (
        list(objects.values())
        if isinstance(objects, dict)
        else list(objects)
        if isinstance(objects, (list, tuple))
        else []
    )
    axis = op.kwargs.get("axis", op.args[1] if len(op.args) > 1 else 0)
    if axis in (1, "columns"):
        same = [x for p in parts if (x := rows.of(p)) is not None and x.n == len(op.result)]
        return Outcome(joined(same)) if same else NONE
    if sum(max(length(p), 0) for p in parts) != len(op.result):
        return NONE
    return Outcome(concatenated([(rows.of(p), max(length(p), 0)) for p in parts]), "concat")


def merge(op: Operation, rows: Rows) -> Outcome:
    """A merge is run once more on bare positions of both sides: deterministic, and the only sure way to follow its rows."""
    np = sys.modules["numpy"]
    left: Any
    if op.receiver is not None and Kinds.frame(op.receiver):
        left, rest = op.receiver, op.args
        right = rest[0] if rest else op.kwargs.get("right", op.kwargs.get("other"))
        more = rest[1:]
    else:
        left = op.args[0] if op.args else op.kwargs.get("left")
        right = op.args[1] if len(op.args) > 1 else op.kwargs.get("right")
        more = op.args[2:]
    pd = sys.modules["pandas"]
    if isinstance(right, pd.Series):
        right = right.to_frame()
    if left is None or right is None or not Kinds.frame(left) or not Kinds.frame(right):
        return NONE
    here, there = rows.of(left), rows.of(right)
    a, b = "__nb2prod_left__", "__nb2prod_right__"
    kwargs = {k: v for k, v in op.kwargs.items() if k not in ("right", "left", "other", "validate")}
    try:
        marked_left, marked_right = left.assign(**{a: np.arange(len(left))}), right.assign(**{b: np.arange(len(right))})
        again = (
            getattr(marked_left, "join" if op.name == "join" else "merge")(marked_right, *more, **kwargs)
            if op.name in ("merge", "join")
            else getattr(pd, op.name)(marked_left, marked_right, *more, **kwargs)
        )
        if len(again) != len(op.result):
            return NONE
        lefts = again[a].fillna(-1).to_numpy().astype("int64")
        rights = again[b].fillna(-1).to_numpy().astype("int64")
    except Exception:  # the marked copies could not be merged: the rows are simply not known
        return NONE
    parts = [x.take(p) for x, p in ((here, lefts), (there, rights)) if x is not None]
    return Outcome(merged(parts), "merge", here, left) if parts else NONE
