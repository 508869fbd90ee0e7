"""Which rows the result of one operation carries, worked out from its operands after it has run.

The outcome is one of: rows (with the lineage), rows chosen or re-ordered (an event that the planner must know), or none.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from .guard import module_of, name_of
from .lineage import Kinds, Lineage, Rows, concatenated, length, merged

SELECTING = frozenset(
    "query head tail sample sort_values sort_index nlargest nsmallest drop dropna drop_duplicates truncate filter take"
    " xs where_rows between_time at_time reindex get_group".split()
)
FILTERING = frozenset({"query", "drop", "dropna", "drop_duplicates"})
ORDERING = frozenset({"sort_values", "sort_index"})
SAME_ORDER = frozenset(
    {"reset_index", "set_index", "rename_axis", "set_axis", "swaplevel", "droplevel", "to_frame", "rename"}
)
REDUCERS = frozenset(
    "mean sum count agg aggregate size value_counts nunique describe corr cov mode unique quantile median std var min max prod first last"
    " nth idxmax idxmin any all sem skew kurt kurtosis pivot pivot_table crosstab corrwith ohlc memory_usage groups".split()
)
NOT_ALIGNED = frozenset(
    "sort unique argsort sorted permutation shuffle histogram cov corrcoef T transpose bincount nonzero flatnonzero where_only partition"
    " argpartition lexsort linspace arange percentile quantile polyfit set groups indices corr roc_curve precision_recall_curve"
    " confusion_matrix value_counts split choice tolist_unique columns keys dtypes feature_importances_ coef_ classes_".split()
)
STACKING = frozenset({"array", "asarray", "vstack", "row_stack", "stack"})
RESHAPING = frozenset({"explode", "melt", "stack", "unstack", "wide_to_long", "repeat"})


@dataclass
class Operation:
    """One operation that has just run: what it was and what went in and came out."""

    kind: str
    name: str
    func: Any
    receiver: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    operands: list[Any]
    key: Any
    result: Any


@dataclass
class Outcome:
    """What the result carries; `event` is None, 'filter', 'select', 'order', 'merge' or 'reshape'."""

    lineage: Lineage | None = None
    event: str | None = None
    before: Lineage | None = None
    source: Any = None


NONE = Outcome()


def infer(op: Operation, rows: Rows) -> Outcome:
    """Work out the rows that `op.result` carries."""
    result = op.result
    carried = [(v, lineage) for v in op.operands if (lineage := rows.of(v)) is not None]
    for value in op.operands:
        carried.extend(rows.inside(value))
    if not carried:
        return NONE
    known = rows._entry(result) if not isinstance(result, (str, int, float, bool, type(None))) else None
    if known is not None:
        return Outcome(known[1])
    many = [(value, lineage) for value, lineage in carried if not lineage.single]
    if not many:
        return _of_one_row(op, carried[0][1])
    return _of_many(op, rows, many)


def _of_many(op: Operation, rows: Rows, carried: list[tuple[Any, Lineage]]) -> Outcome:
    result = op.result
    turned = _turned(op, rows, carried)
    if turned is not None:
        return turned
    if Kinds.accessor(result):
        return _accessor(op, rows, carried)
    if isinstance(result, dict):
        return _subscript(op, rows, carried) if op.kind == "subscript" else NONE
    if length(result) < 0:
        return NONE
    if (op.name == "concat" and op.receiver is None) or _module_call(op, "pandas", "concat"):
        outcome = _concat(op, rows)
        if outcome.lineage is not None:
            return outcome
    if op.name in ("merge", "join", "merge_asof", "merge_ordered") and Kinds.frame(result):
        return _merge(op, rows)
    if op.kind == "subscript":
        return _subscript(op, rows, carried)
    if _on_groupby(op) and op.name in REDUCERS:
        return NONE
    if Kinds.pandas(result):
        return _pandas(op, rows, carried)
    return _array(op, carried, rows)


def _turned(op: Operation, rows: Rows, carried: list[tuple[Any, Lineage]]) -> Outcome | None:
    """Where rows run across, or begin to; None elsewhere."""
    if op.name in ("T", "transpose") and op.receiver is not None and not op.args:
        lineage = rows.of(op.receiver)
        if lineage is not None:
            return Outcome(lineage if getattr(op.result, "ndim", 1) == 1 else lineage.turned())
    across = [x for v, x in carried if x.upright is not None and Kinds.array(v)] if Kinds.array(op.result) else []
    return _of_across(op, across[0]) if across else None


def _of_across(op: Operation, lineage: Lineage) -> Outcome:
    """What is made of an array whose rows run across: across still, or with an entry for each (``votes.sum(axis=0)``, ``votes[0]``)."""
    shapes = [v.shape for v in op.operands if Kinds.array(v)]
    upright = lineage.turned()
    if op.result.shape in shapes and op.result.ndim == 2:
        return Outcome(lineage)
    axis = op.kwargs.get("axis", op.args[-1] if op.args else None)
    by_row = op.kind == "subscript" or (isinstance(axis, int) and axis == 0)
    return Outcome(upright) if by_row and op.result.shape == (upright.n,) else NONE


def _laid_across(op: Operation, rows: Rows) -> Lineage | None:
    """``np.array([one, other])`` of vectors with an entry for each row: the rows run across."""
    parts = op.args[0] if op.args and isinstance(op.args[0], (list, tuple)) else ()
    if op.name not in STACKING or not parts or not Kinds.array(op.result) or op.result.ndim != 2:
        return None
    lineages = [rows.of(part) for part in parts]
    first = lineages[0]
    vectors = all(x is not None and x.n == op.result.shape[1] and not x.single for x in lineages)
    flat = all(getattr(part, "ndim", 1) == 1 for part in parts)
    return first.turned() if first is not None and vectors and flat and op.result.shape[0] == len(parts) else None


def _module_call(op: Operation, module: str, name: str) -> bool:
    return op.kind == "call" and name_of(op.func) == name and module_of(op.func).startswith(module)


def _on_groupby(op: Operation) -> bool:
    return Kinds.accessor(op.receiver) and "GroupBy" in type(op.receiver).__name__


def _by_entry(op: Operation) -> bool:
    """``.str.count()`` and a moving window's ``mean()`` have an entry for each row, unlike a column's."""
    return Kinds.accessor(op.receiver) and not _on_groupby(op)


def _accessor(op: Operation, rows: Rows, carried: list[tuple[Any, Lineage]]) -> Outcome:
    lineage = rows.of(op.receiver)
    return Outcome(lineage if lineage is not None else carried[0][1])


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
    return None


def _same_index(a: Any, b: Any) -> bool:
    if a is None or b is None or len(a) != len(b):
        return False
    return bool(a.is_(b)) or bool(a.equals(b))


def _pandas(op: Operation, rows: Rows, carried: list[tuple[Any, Lineage]]) -> Outcome:
    pd = sys.modules["pandas"]
    result = op.result
    if op.kind == "attribute":
        return _pandas_attribute(op, carried)
    if isinstance(result, pd.Index):
        same = [lineage for v, lineage in carried if lineage.n == len(result)]
        return Outcome(same[0]) if same and op.name not in NOT_ALIGNED | REDUCERS else NONE
    if op.name in RESHAPING:
        return Outcome(None, "reshape", carried[0][1])
    if op.name in SELECTING and op.kind == "call":
        return _selecting(op, rows)
    if op.name in REDUCERS and not isinstance(op.func, type) and not _by_entry(op) and not _across(op):
        return NONE
    index = result.index
    matches = [lineage for v, lineage in carried if lineage.n == len(result) and _same_index(index_of(v), index)]
    if matches:
        return Outcome(_joined(matches))
    same = [lineage for v, lineage in carried if lineage.n == len(result)]
    if not same:
        return NONE
    receiver = rows.of(op.receiver) if op.receiver is not None else None
    if receiver is None or op.name in SAME_ORDER or op.kind in ("binary", "unary", "compare"):
        # A constructor or a function of a module (pd.Series(array), pd.DataFrame({...})) numbers its rows anew, in the same order.
        return Outcome(_joined(same)) if op.name not in NOT_ALIGNED else NONE
    if _on_groupby(op):
        unique = _by_labels(op.receiver, index, receiver)
        return Outcome(unique) if unique is not None else NONE
    return NONE


def _across(op: Operation) -> bool:
    """``df.sum(axis=1)`` takes a statistic of each row, not of the rows."""
    place = 0 if op.receiver is not None else 1
    axis = op.kwargs.get("axis", op.args[place] if len(op.args) > place else 0)
    return isinstance(axis, (int, str)) and axis in (1, "columns")


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


def _joined(lineages: list[Lineage]) -> Lineage:
    first = lineages[0]
    extra = [x for x in lineages[1:] if set(x.tables) - set(first.tables)]
    return merged([first, *extra]) if extra else first


def _pandas_attribute(op: Operation, carried: list[tuple[Any, Lineage]]) -> Outcome:
    lineage = carried[0][1]
    if op.name in ("columns", "T", "dtypes", "axes", "categories", "size", "shape", "groups"):
        return NONE
    return Outcome(lineage) if lineage.n == len(op.result) else NONE


def _by_labels(owner: Any, index: Any, lineage: Lineage) -> Lineage | None:
    """Rows found again by their labels, where the labels are unique."""
    old = index_of(owner)
    if old is None or not old.is_unique or len(old) != lineage.n:
        return None
    positions = old.get_indexer(index)
    if (positions < 0).any():
        return None
    return lineage.take(positions)


def _selecting(op: Operation, rows: Rows) -> Outcome:
    lineage = rows.of(op.receiver)
    if lineage is None:
        return NONE
    chosen: Lineage | None
    if op.name == "reindex" or op.kwargs.get("ignore_index") or not _unique(op.receiver):
        chosen = _shadow(op, lineage)
    else:
        chosen = _by_labels(op.receiver, op.result.index, lineage)
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


def _subscript(op: Operation, rows: Rows, carried: list[tuple[Any, Lineage]]) -> Outcome:
    lineage = rows.of(op.receiver)
    result = op.result
    n = length(result)
    if lineage is None:
        # A lookup by rows: np.c_[a, b], table[codes], means[df.k].
        same = [x for _, x in carried if x.n == n]
        return Outcome(_joined(same)) if same and not isinstance(op.receiver, (dict, list)) else NONE
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


def _of_one_row(op: Operation, lineage: Lineage) -> Outcome:
    """What is made of one row: still one row (``row.fillna(0)``, ``row.to_dict()``), or a table with it alone (``[row]``, ``row.to_frame().T``)."""
    result = op.result
    if Kinds.accessor(result) or (op.kind == "attribute" and op.name in ("index", "keys", "shape", "size", "dtype")):
        return Outcome(lineage)
    n = length(result)
    flat = getattr(result, "ndim", 1) == 1
    if isinstance(result, dict) or (n > 1 or (n == 1 and flat and Kinds.pandas(result))):
        return Outcome(lineage) if isinstance(result, dict) or not isinstance(result, list) else NONE
    return Outcome(lineage.take([0])) if n == 1 else NONE


def _taken_out(op: Operation, lineage: Lineage) -> Lineage | None:
    """``X.iloc[3]``, ``X.loc["a"]``, ``array[3]``, ``records[3]``: one row taken out of many."""
    np = sys.modules["numpy"]
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
        if _same_index(old, result.index):
            return lineage
        if isinstance(result, pd.Series) and _one_row(receiver, result):
            return None
        if old.is_unique:
            return _by_labels(receiver, result.index, lineage)
        return _by_position_key(receiver, key, lineage, n)
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
    shadow = pd.Series(np.arange(lineage.n), index=index_of(receiver))
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


def _concat(op: Operation, rows: Rows) -> Outcome:
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
        return Outcome(_joined(same)) if same else NONE
    if sum(max(length(p), 0) for p in parts) != len(op.result):
        return NONE
    return Outcome(concatenated([(rows.of(p), max(length(p), 0)) for p in parts]), "concat")


def _merge(op: Operation, rows: Rows) -> Outcome:
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


def _array(op: Operation, carried: list[tuple[Any, Lineage]], rows: Rows) -> Outcome:
    """Arrays, sparse matrices, lists and data sets: as many entries as an operand has rows, or its parts stacked."""
    if op.name in NOT_ALIGNED or (op.kind == "attribute" and op.name in ("shape", "columns")):
        return NONE
    across = _laid_across(op, rows)
    if across is not None:
        return Outcome(across)
    n = length(op.result)
    if op.kind == "comprehension" and op.name != "ListComp":
        return NONE
    if n < 2 and all(x.n != n for _, x in carried):
        return NONE
    if op.name in ("concatenate", "vstack", "append", "row_stack") and op.kwargs.get("axis", 0) == 0:
        stacked = list(op.args[0]) if op.args and isinstance(op.args[0], (list, tuple)) else list(op.args[:2])
        if len(stacked) > 1 and sum(max(length(p), 0) for p in stacked) == n:
            return Outcome(concatenated([(rows.of(p), max(length(p), 0)) for p in stacked]), "concat")
    same = [x for _, x in carried if x.n == n]
    return Outcome(_joined(same)) if same else NONE
