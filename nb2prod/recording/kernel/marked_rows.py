"""Which rows a function chose of a table that it was given, whatever its name: it is run once more on the table under labels of ours.

A function of a module, or a method that some package added to tables, may filter rows, sort them or reduce them: the labels of its result tell.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from .chosen_rows import by_row_alone, index_of
from .frozen.call import undisturbed
from .guard import module_of
from .lineage import Kinds, Rows
from .operation import NONE, Operation, Outcome

FIRST_MARK = 10_000_001
"""Labels of ours begin here: at no number that a notebook counts to."""


def chosen_by_function(op: Operation, rows: Rows) -> Outcome:
    """The rows of the one table among the operands that the result holds, each once; no rows where it holds something else."""
    table = _table(op, rows)
    if table is None:
        return NONE
    lineage = rows.of(table)
    assert lineage is not None
    np = sys.modules["numpy"]
    everything = np.arange(lineage.n)
    positions = _positions(op, table, everything)
    if positions is None or len(positions) != len(op.result):
        return NONE
    by_row = by_row_alone(lambda half: _positions(op, table, half), lineage.n, positions)
    kind = "filter" if by_row else "select"
    return Outcome(lineage.take(positions), kind, lineage, table)


def _table(op: Operation, rows: Rows) -> Any:
    """The table that fewer rows may have been chosen of; None where nothing speaks for that, or the notebook's own code would run again."""
    given = [op.receiver, *op.args, *op.kwargs.values()]
    own = [v for v in (op.func, *given) if isinstance(v, types.FunctionType) and module_of(v) == "__main__"]
    if op.kind != "call" or own or isinstance(op.func, type) or not _framed(op.result) or not len(op.result):
        return None
    tables = [v for v in given if _framed(v) and rows.of(v) is not None]
    if len(tables) != 1 or len(tables[0]) <= len(op.result):
        return None
    return tables[0] if bool(op.result.index.isin(index_of(tables[0])).all()) else None


def _framed(value: Any) -> bool:
    return Kinds.frame(value) or Kinds.series(value)


def _positions(op: Operation, table: Any, rows: Any) -> Any:
    """The places of the rows that it chooses of these; None where its result has other labels."""
    pd = sys.modules["pandas"]
    marks = rows + FIRST_MARK
    marked = table.iloc[rows].set_axis(marks, axis=0)
    args = [marked if value is table else value for value in op.args]
    options = {name: marked if value is table else value for name, value in op.kwargs.items()}
    try:
        with undisturbed():
            call = getattr(marked, op.name) if op.receiver is table else op.func
            again = call(*args, **options)
        found = pd.Index(marks).get_indexer(again.index)
    except Exception:  # whatever the second run trips over, the rows are simply not known
        return None
    return rows[found] if len(found) == len(set(found.tolist())) and (found >= 0).all() else None
