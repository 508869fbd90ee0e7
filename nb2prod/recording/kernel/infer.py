"""Which rows the result of one operation carries, worked out from its operands after it has run.

The outcome is one of: rows (with the lineage), rows chosen or re-ordered (an event that the planner must know), or none.
"""

from __future__ import annotations

import sys
from typing import Any

from .chosen_rows import by_labels, index_of, joined, same_index, selecting, subscript
from .guard import module_of, name_of
from .joined_tables import concat, merge
from .lineage import Kinds, Lineage, Rows, concatenated, length
from .marked_rows import chosen_by_function
from .operation import NONE, Operation, Outcome
from .polars_tables import rows_of_result
from .rows_across import laid_across, turned

SELECTING = frozenset(
    "query head tail sample sort_values sort_index nlargest nsmallest drop dropna drop_duplicates truncate filter take"
    " xs where_rows between_time at_time reindex get_group".split()
)


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


RESHAPING = frozenset({"explode", "melt", "stack", "unstack", "wide_to_long", "repeat"})


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
    across = turned(op, rows, carried)
    if across is not None:
        return across
    if Kinds.accessor(result):
        return _accessor(op, rows, carried)
    if isinstance(result, dict):
        return subscript(op, rows, carried) if op.kind == "subscript" else NONE
    if length(result) < 0:
        return NONE
    if (op.name == "concat" and op.receiver is None) or _module_call(op, "pandas", "concat"):
        outcome = concat(op, rows)
        if outcome.lineage is not None:
            return outcome
    if op.name in ("merge", "join", "merge_asof", "merge_ordered") and Kinds.frame(result):
        return merge(op, rows)
    if op.kind == "subscript":
        return subscript(op, rows, carried)
    if Kinds.polars_frame(op.receiver) and Kinds.polars(result):
        other = op.args[0] if op.args else op.kwargs.get("other")
        return rows_of_result(op, rows.of(op.receiver), rows.of(other) if Kinds.polars_frame(other) else None)
    if _on_groupby(op) and op.name in REDUCERS:
        return NONE
    if Kinds.pandas(result):
        return _pandas(op, rows, carried)
    return _array(op, carried, rows)


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
        return selecting(op, rows)
    if op.name in REDUCERS and not isinstance(op.func, type) and not _by_entry(op) and not _across(op):
        return NONE
    index = result.index
    matches = [lineage for v, lineage in carried if lineage.n == len(result) and same_index(index_of(v), index)]
    if matches:
        return Outcome(joined(matches))
    same = [lineage for v, lineage in carried if lineage.n == len(result)]
    if not same:
        return NONE if _on_groupby(op) else chosen_by_function(op, rows)
    receiver = rows.of(op.receiver) if op.receiver is not None else None
    if (
        receiver is None
        or not (Kinds.pandas(op.receiver) or Kinds.accessor(op.receiver))
        or op.name in SAME_ORDER
        or op.kind in ("binary", "unary", "compare")
    ):
        # A constructor or a function of a module (pd.Series(array), pd.DataFrame({...})) numbers its rows anew, in the same order.
        return Outcome(joined(same)) if op.name not in NOT_ALIGNED else NONE
    if _on_groupby(op):
        unique = by_labels(op.receiver, index, receiver)
        return Outcome(unique) if unique is not None else NONE
    return NONE


def _across(op: Operation) -> bool:
    """``df.sum(axis=1)`` takes a statistic of each row, not of the rows."""
    place = 0 if op.receiver is not None else 1
    axis = op.kwargs.get("axis", op.args[place] if len(op.args) > place else 0)
    return isinstance(axis, (int, str)) and axis in (1, "columns")


def _pandas_attribute(op: Operation, carried: list[tuple[Any, Lineage]]) -> Outcome:
    lineage = carried[0][1]
    if op.name in ("columns", "T", "dtypes", "axes", "categories", "size", "shape", "groups"):
        return NONE
    return Outcome(lineage) if lineage.n == len(op.result) else NONE


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


def _array(op: Operation, carried: list[tuple[Any, Lineage]], rows: Rows) -> Outcome:
    """Arrays, sparse matrices, lists and data sets: as many entries as an operand has rows, or its parts stacked."""
    if op.name in NOT_ALIGNED or (op.kind == "attribute" and op.name in ("shape", "columns")):
        return NONE
    across = laid_across(op, rows)
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
    return Outcome(joined(same)) if same else NONE
