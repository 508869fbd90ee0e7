"""Whole tables through a Bento, in one's own job: `from nb2prod_runtime.batch import score`.

With the folder `src` of a Bento on the import path, in the environment that it pins. A table's columns are cast by the signature,
so that a row gets what a request with the same values gets, whichever engine brings it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .scoring import Scored, Scorer

__all__ = ["answers_schema", "bad_rows", "on_dask", "on_ray", "on_spark", "score"]


def score(table: Any) -> Any:
    """The answers for a table's rows, in its order.

    Args:
        table: a pandas frame, or an Arrow table or record batch, with a column for each field of the signature; others are left aside.

    Returns:
        What it was given, a frame (with the same index) or an Arrow table, with a row for each row: `prediction`; `error`, null where there is none;
        and `fallback` where the service answers by rule.

    Raises:
        TableProblem: a field is missing, or a column of a frame holds values of several types.
    """
    answers = _scored(table).answers
    if _is_frame(table):
        return answers.to_pandas().set_index(table.index)
    return answers


def bad_rows(table: Any) -> Any:
    """What is wrong with the rows of a table that get no prediction: an Arrow table of `row` (its position), `field`, `code` and `reason`.

    Raises `TableProblem` as `score` does.
    """
    return _scored(table).errors


def answers_schema() -> Any:
    """The Arrow schema of what `score` gives."""
    return _scorer().schema


def __getattr__(name: str) -> Any:
    """`on_dask`, `on_ray` and `on_spark` are of the module `engines`."""
    if name not in ("on_dask", "on_ray", "on_spark"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import engines

    return getattr(engines, name)


def _scored(table: Any) -> Scored:
    import pyarrow as pa

    from .tables import table_of

    if _is_frame(table):
        table = table_of(table)
    elif isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    return _scorer().score(table)


def _is_frame(table: Any) -> bool:
    import pandas as pd

    return isinstance(table, pd.DataFrame)


@cache
def _scorer() -> Scorer:
    """Of the project that this copy of the runtime belongs to; loaded once in each process."""
    from .scoring import Scorer

    return Scorer.load(Path(__file__).resolve().parent.parent.parent)
