"""Tables of polars: the rows that an operation chose of them, and the same table as pandas has it.

polars' tables have no labels of rows. Which rows an operation gives is found by running it once more on the table with the rows' numbers beside it.
"""

from __future__ import annotations

import sys
from typing import Any

from .chosen_rows import by_row_alone
from .lineage import Kinds, Lineage, merged
from .operation import NONE, Operation, Outcome

MARK = "__nb2prod_row__"
BESIDE = "__nb2prod_row_beside__"
DRAWING = ("sample", "shuffle")
JOINING = ("join", "join_asof")
SAMPLED = 5


def rows_of_result(op: Operation, lineage: Lineage | None, beside: Lineage | None) -> Outcome:
    """The rows that a table's method gave: `lineage` are its receiver's, `beside` those of a table that it is joined with."""
    result, receiver = op.result, op.receiver
    if not Kinds.polars_frame(receiver) or not Kinds.polars_frame(result):
        return _as_long(op, lineage)
    if op.name in JOINING:
        return _joined(op, lineage, beside)
    if lineage is None:
        return NONE
    if len(result) == lineage.n and _alike(receiver, result):
        return Outcome(lineage)
    positions = _numbers(op, receiver)
    if positions is None:
        return _as_long(op, lineage)
    np = sys.modules["numpy"]
    chosen = lineage.take(positions)
    if np.array_equal(positions, np.arange(lineage.n)):
        return Outcome(lineage)
    if len(set(positions.tolist())) < len(positions):
        return Outcome(None, "reshape", lineage)
    if len(positions) < lineage.n and by_row_alone(lambda rows: _numbers(op, receiver, rows), lineage.n, positions):
        return Outcome(chosen, "filter", lineage, receiver)
    return Outcome(chosen, "order" if chosen.n == lineage.n else "select", lineage, receiver)


def _as_long(op: Operation, lineage: Lineage | None) -> Outcome:
    """What has an entry for each row is of these rows, in their order."""
    return Outcome(lineage) if lineage is not None and len(op.result) == lineage.n else NONE


def _alike(table: Any, result: Any) -> bool:
    """Whether columns of the table, and not new ones alone, are in the result as they were."""
    shared = [name for name in result.columns if name in table.columns]
    return len(shared) > 1 and any(result[name].equals(table[name], null_equal=True) for name in shared)


def _numbers(op: Operation, table: Any, rows: Any = None) -> Any:
    """The numbers of the rows that the operation gives of a table (or of these rows of it); None where that can't be told."""
    np, pl = sys.modules["numpy"], sys.modules["polars"]
    if op.kind != "call" or (op.name in DRAWING and op.kwargs.get("seed") is None):
        return None
    numbers = np.arange(len(table)) if rows is None else rows
    marked = (table if rows is None else table[rows]).with_columns(pl.Series(MARK, numbers, dtype=pl.Int64))
    try:
        again = getattr(marked, op.name)(*op.args, **op.kwargs)
    except Exception:  # whatever the second run trips over, the rows are simply not known
        return None
    if not Kinds.polars_frame(again) or MARK not in again.columns or (rows is None and len(again) != len(op.result)):
        return None
    return again[MARK].to_numpy()


def _joined(op: Operation, here: Lineage | None, there: Lineage | None) -> Outcome:
    """A join is run once more with the numbers of both sides' rows beside them."""
    np, pl = sys.modules["numpy"], sys.modules["polars"]
    left: Any = op.receiver
    right: Any = op.args[0] if op.args else op.kwargs.get("other")
    if not Kinds.polars_frame(right):
        return NONE
    options = {name: value for name, value in op.kwargs.items() if name not in ("other", "validate")}
    try:
        marked = left.with_columns(pl.Series(MARK, np.arange(len(left)), dtype=pl.Int64))
        other = right.with_columns(pl.Series(BESIDE, np.arange(len(right)), dtype=pl.Int64))
        again = getattr(marked, op.name)(other, *op.args[1:], **options)
        if len(again) != len(op.result):
            return NONE
        sides = [(here, MARK), (there, BESIDE)]
        parts = [
            lineage.take(again[name].fill_null(-1).to_numpy())
            for lineage, name in sides
            if lineage is not None and name in again.columns
        ]
    except Exception:  # the marked copies could not be joined: the rows are simply not known
        return NONE
    return Outcome(merged(parts), "merge", here, left) if parts else NONE


def schema_of(table: Any) -> list[tuple[str, str]]:
    """The names of a table's columns, each with its type in polars' own words."""
    return [(name, repr(dtype)) for name, dtype in table.schema.items()]


def mark_of(value: Any) -> Any:
    """A cheap mark that changes when a table or column does: its shape, its columns and some of its rows."""
    step = max(1, len(value) // SAMPLED)
    sampled = value.gather_every(step).head(SAMPLED + 1)
    columns = tuple(value.columns) if Kinds.polars_frame(value) else value.name
    return (
        id(value),
        value.shape,
        columns,
        str(sampled.to_dict(as_series=False) if Kinds.polars_frame(value) else sampled.to_list()),
    )


def as_pandas(table: Any) -> Any:
    """The table as pandas holds it: numbers as numpy's where none is missing, else as pandas' own nullable ones."""
    import pandas as pd

    columns = {name: _column(pd, table[name]) for name in table.columns}
    return pd.DataFrame(columns, columns=list(table.columns))


def _column(pd: Any, column: Any) -> Any:
    dtype = column.dtype
    if dtype.is_numeric() or dtype == sys.modules["polars"].Boolean:
        if not column.null_count() or dtype.is_float():
            return pd.Series(column.to_numpy())
        return pd.Series(column.to_list(), dtype="boolean" if not dtype.is_numeric() else "Int64")
    if str(dtype).startswith(("Date", "Datetime")):
        return pd.Series(pd.to_datetime(column.to_list()))
    return pd.Series(column.to_list())


def write_back(table: Any, changed: Any) -> None:
    """Put the values of a changed copy, as pandas holds it, into the table itself."""
    pl = sys.modules["polars"]
    for at, name in enumerate(table.columns):
        values = [
            None if missing else value for value, missing in zip(changed[name], changed[name].isna(), strict=True)
        ]
        table.replace_column(at, pl.Series(name, values, dtype=table.schema[name], strict=False))
