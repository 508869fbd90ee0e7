"""Which rows an operation chose of those that it was given: by labels, by positions, or by choosing once more among row numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from .lineage import Kinds, Lineage, Rows, length, merged
from .operation import NONE, Operation, Outcome

FILTERING = frozenset({"query", "drop", "dropna", "drop_duplicates"})


ORDERING = frozenset({"sort_values", "sort_index"})


def index_of(value: Any) -> Any:
    """The index of a pandas object, or of the object that an accessor stands for."""
    pd = sys.modules["pandas"]
    if isinstance(value, (pd.DataFrame, pd.Series)):
        return value.index
    if Kinds.accessor(value):
        for name in ("obj", "_selected_obj", "_parent", "_data"):
            owner = getattr(value, name, None)
            if isinstance(owner, (pd.DataFrame, pd.Series)):
                return owner.index
        own = getattr(value, "_index", None)  # of `.cat`, which holds the values alone
        return own if isinstance(own, pd.Index) else None
    return None


def same_index(a: Any, b: Any) -> bool:
    if a is None or b is None or len(a) != len(b):
        return False
    return bool(a.is_(b)) or bool(a.equals(b))


def unaltered(table: Any, before: Lineage, result: Any, after: Lineage) -> bool:
    """Tell whether `result` holds rows of `table`, each once and as it is there; their order and labels may be others."""
    np = sys.modules["numpy"]
    if not Kinds.frame(table) or not Kinds.frame(result) or set(before.tables) != set(after.tables):
        return False
    if list(table.columns) != list(result.columns) or not 0 < after.n <= before.n:
        return False
    key = max(before.tables, key=lambda t: int((np.asarray(before.tables[t]) >= 0).sum()))
    old, new = np.asarray(before.tables[key]), np.asarray(after.tables[key])
    if (old < 0).any() or len(np.unique(old)) != len(old) or len(np.unique(new)) != len(new):
        return False
    order = np.argsort(old, kind="stable")
    found = order[np.minimum(np.searchsorted(old[order], new), len(old) - 1)]
    if not np.array_equal(old[found], new):
        return False
    return bool(table.iloc[found].reset_index(drop=True).equals(result.reset_index(drop=True)))


def by_row_alone(again: Callable[[Any], Any], count: int, chosen: Any) -> bool:
    """Whether a row's being chosen is decided by that row alone: of each half of the `count` rows the same ones are chosen, in their order.

    `again` gives the numbers of the rows that are chosen of those with given numbers, or None where that can't be told.
    """
    np = sys.modules["numpy"]
    if (np.diff(chosen) < 0).any():
        return False
    for half in (np.arange(0, count, 2), np.arange(count // 2, count)):
        found = again(half)
        if found is None or not np.array_equal(found, chosen[np.isin(chosen, half)]):
            return False
    return True


def joined(lineages: list[Lineage]) -> Lineage:
    first = lineages[0]
    extra = [x for x in lineages[1:] if set(x.tables) - set(first.tables)]
    return merged([first, *extra]) if extra else first


def by_labels(owner: Any, index: Any, lineage: Lineage) -> Lineage | None:
    """Rows found again by their labels, where the labels are unique."""
    old = index_of(owner)
    if old is None or not old.is_unique or len(old) != lineage.n:
        return None
    positions = old.get_indexer(index)
    if (positions < 0).any():
        return None
    return lineage.take(positions)


def selecting(op: Operation, rows: Rows) -> Outcome:
    lineage = rows.of(op.receiver)
    if lineage is None:
        # A table of other things, asked by the rows: `means.reindex(keys)`, `table.take(codes)`.
        asked = [
            x for v in (*op.args, *op.kwargs.values()) if (x := rows.of(v)) is not None and x.n == length(op.result)
        ]
        return Outcome(joined(asked)) if asked else NONE
    chosen: Lineage | None
    if op.name == "reindex" or op.kwargs.get("ignore_index") or not _unique(op.receiver):
        chosen = _shadow(op, lineage)
    else:
        chosen = by_labels(op.receiver, op.result.index, lineage)
        chosen = chosen if chosen is not None else _under_own_labels(op, lineage)
    if chosen is None:
        return NONE
    if chosen.same_rows(lineage) and op.name not in FILTERING | ORDERING | {
        "sample",
        "head",
        "tail",
        "nlargest",
        "nsmallest",
    }:
        return Outcome(lineage)
    if _drops_columns(op):
        return Outcome(lineage if chosen.same_rows(lineage) else chosen)
    if op.name in FILTERING and not _by_training_labels(op, rows):
        return Outcome(chosen, "filter", lineage, op.receiver)
    kind = "order" if op.name in ORDERING or chosen.n == lineage.n else "select"
    return Outcome(chosen, kind, lineage, op.receiver)


def _by_training_labels(op: Operation, rows: Rows) -> bool:
    """``df.drop(labels)`` with labels that are no condition on the rows at hand: a list of training's rows, no rule."""
    return op.name == "drop" and not any(rows.of(v) is not None for v in (*op.args, *op.kwargs.values()))


def _drops_columns(op: Operation) -> bool:
    """``drop(columns=...)``, ``drop(x, axis=1)`` and ``dropna(axis=1)`` touch no row; ``filter`` chooses columns by default."""
    axis = op.kwargs.get("axis", op.args[1] if op.name == "drop" and len(op.args) > 1 else 0)
    if op.name == "filter":
        return op.kwargs.get("axis", 1) in (1, "columns", None) and Kinds.frame(op.result)
    if (
        op.name == "drop"
        and not op.args
        and "columns" in op.kwargs
        and "index" not in op.kwargs
        and "labels" not in op.kwargs
    ):
        return True
    return axis in (1, "columns")


def _unique(value: Any) -> bool:
    index = index_of(value)
    return index is not None and bool(index.is_unique)


def _shadow(op: Operation, lineage: Lineage) -> Lineage | None:
    """Run a deterministic selection once more on the same rows under their positions; random ones cannot be followed so."""
    if op.name == "sample" or not Kinds.pandas(op.receiver):
        return None
    np = sys.modules["numpy"]
    try:
        shadow = op.receiver.set_axis(np.arange(lineage.n), axis=0)
        kwargs = {k: v for k, v in op.kwargs.items() if k not in ("ignore_index", "inplace")}
        again = getattr(shadow, op.name)(*op.args, **kwargs)
        positions = np.asarray(again.index)
        return lineage.take(positions) if len(again) == len(op.result) else None
    except Exception:  # whatever the second run trips over, the rows are simply not known
        return None


def _under_own_labels(op: Operation, lineage: Lineage) -> Lineage | None:
    """The same selection among the rows' numbers under their own labels, where it changes the labels (`both.xs("train")`)."""
    pd, np = sys.modules["pandas"], sys.modules["numpy"]
    try:
        numbers = pd.Series(np.arange(lineage.n), index=index_of(op.receiver))
        chosen = getattr(numbers, op.name)(*op.args, **op.kwargs)
        return lineage.take(np.asarray(chosen)) if len(chosen) == len(op.result) else None
    except Exception:  # the call made sense for a table but not for one column of it
        return None


def subscript(op: Operation, rows: Rows, carried: list[tuple[Any, Lineage]]) -> Outcome:
    lineage = rows.of(op.receiver)
    result = op.result
    n = length(result)
    if lineage is None:
        # A lookup by rows: np.c_[a, b], table[codes], means[df.k].
        same = [x for _, x in carried if x.n == n]
        return Outcome(joined(same)) if same and not isinstance(op.receiver, (dict, list)) else NONE
    if Kinds.accessor(op.receiver) and "GroupBy" in type(op.receiver).__name__:
        return NONE
    taken = _taken_out(op, lineage)
    if taken is not None:
        return Outcome(taken, "row", lineage, op.receiver)
    chosen = _chosen(op, lineage, n) if n >= 0 else None
    if chosen is None:
        return NONE
    if chosen.same_rows(lineage) and not _row_mask(op.key, rows):
        return Outcome(lineage)
    kind = "filter" if _row_mask(op.key, rows) else "order" if chosen.n == lineage.n else "select"
    return Outcome(chosen, kind, lineage, op.receiver)


def _taken_out(op: Operation, lineage: Lineage) -> Lineage | None:
    """``X.iloc[3]``, ``X.loc["a"]``, ``array[3]``, ``records[3]``: one row taken out of many."""
    np = sys.modules["numpy"]
    if lineage.upright is not None:
        return None  # one line of what lies across holds all rows
    key = op.key[0] if isinstance(op.key, tuple) and op.key else op.key
    accessor = type(op.receiver).__name__
    if accessor in ("_iLocIndexer", "_LocIndexer"):
        owner = op.receiver.obj
        if not Kinds.frame(owner) or not Kinds.pandas(op.result) or getattr(op.result, "ndim", 0) != 1:
            return None
        if not set(op.result.index) <= set(owner.columns):
            return None
        if accessor == "_LocIndexer":
            if not owner.index.is_unique or not np.isscalar(key) or key not in owner.index:
                return None
            return lineage.row(int(owner.index.get_loc(key)))
        return lineage.row(int(key)) if isinstance(key, (int, np.integer)) else None
    flat = Kinds.array(op.result) and op.result.ndim == 1 and Kinds.array(op.receiver) and op.receiver.ndim == 2
    record = isinstance(op.result, dict) and isinstance(op.receiver, list)
    if (
        (flat or record)
        and isinstance(key, (int, np.integer))
        and not isinstance(key, bool)
        and -lineage.n <= key < lineage.n
    ):
        return lineage.row(int(key))
    return None


def _row_mask(key: Any, rows: Rows) -> bool:
    """Tell whether a key is made of rows itself: a condition on them."""
    parts = key if isinstance(key, tuple) else (key,)
    return bool(parts) and rows.of(parts[0]) is not None


def _chosen(op: Operation, lineage: Lineage, n: int) -> Lineage | None:
    pd, np = sys.modules.get("pandas"), sys.modules["numpy"]
    result, key, receiver = op.result, op.key, op.receiver
    if pd is not None and isinstance(result, (pd.DataFrame, pd.Series)):
        old = index_of(receiver)
        if old is None:
            return lineage if n == lineage.n else None
        if same_index(old, result.index):
            return lineage
        if isinstance(result, pd.Series) and _one_row(receiver, result):
            return None
        found = by_labels(receiver, result.index, lineage)
        # The labels of repeated ones, or of rows whose labels lost a level (`both.loc["train"]`), do not tell.
        return found if found is not None else _by_position_key(receiver, key, lineage, n)
    rowkey = key[0] if isinstance(key, tuple) and key else key
    if rowkey is Ellipsis or rowkey is None:
        return lineage if n == lineage.n else None
    try:
        positions = np.arange(lineage.n)[rowkey]
    except Exception:  # a key that does not address rows (a field name, say)
        return lineage if n == lineage.n else None
    if getattr(positions, "ndim", 0) != 1 or len(positions) != n:
        return None
    return lineage.take(positions)


def _one_row(receiver: Any, result: Any) -> bool:
    """``df.loc[3]`` or ``df.iloc[0]``: one row, indexed by columns."""
    owner: Any = receiver if Kinds.frame(receiver) else getattr(receiver, "obj", None)
    return Kinds.frame(owner) and len(result) == owner.shape[1] and bool(result.index.equals(owner.columns))


def _by_position_key(receiver: Any, key: Any, lineage: Lineage, n: int) -> Lineage | None:
    """Rows chosen from an index with repeated labels: the same key on positions that bear the same labels."""
    pd, np = sys.modules["pandas"], sys.modules["numpy"]
    labels = index_of(receiver)
    if len(labels) != lineage.n:
        return None
    shadow = pd.Series(np.arange(lineage.n), index=labels)
    rowkey = key[0] if isinstance(key, tuple) and key and Kinds.accessor(receiver) else key
    try:
        name = type(receiver).__name__
        picked = (
            shadow.iloc[rowkey]
            if name == "_iLocIndexer"
            else shadow.loc[rowkey]
            if name == "_LocIndexer"
            else shadow[rowkey]
        )
    except Exception:  # the key made sense for a frame but not for one column of it
        return None
    values = np.atleast_1d(np.asarray(picked))
    return lineage.take(values) if len(values) == n else None
