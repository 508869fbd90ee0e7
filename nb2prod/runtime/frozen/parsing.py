"""Parsing whose outcome pandas chooses by looking at all values: the format and dtype found in training are kept."""

from typing import Any

import pandas as pd

from .packing import State, operation, with_dtype

_NUMERIC = ("errors", "downcast", "dtype_backend")
_DATETIME = ("errors", "dayfirst", "yearfirst", "utc", "format", "exact", "unit", "origin", "cache")


def _like_training(result: Any, packed: Any) -> Any:
    if isinstance(result, pd.Series):
        return with_dtype(result, packed)
    if isinstance(result, pd.Index):
        return pd.Index(with_dtype(pd.Series(result), packed), name=result.name)
    return with_dtype(pd.Series(result), packed).to_numpy()


@operation
def to_numeric(state: State, arg: Any, *args: Any, **options: Any) -> Any:
    """`pd.to_numeric`: the same parsing, and training's dtype where the request's values allow it."""
    given = {**dict(zip(_NUMERIC, args, strict=False)), **options}
    given.pop("downcast", None)  # it would round a lone value to a narrower float than training's
    return _like_training(pd.to_numeric(arg, **given), state["dtype"])


@operation
def date_text(state: State, dates: Any, *args: Any, **options: Any) -> Any:
    """`.astype(str)` of dates: with the precision that training's dates had, so that midnight keeps its `00:00:00`."""
    if state["anchor"] is None:
        return dates.astype(*args, **options)
    anchored = pd.concat([dates, pd.Series([state["anchor"]], dtype=dates.dtype)], ignore_index=True)
    return anchored.astype(*args, **options).iloc[:-1].set_axis(dates.index).rename(dates.name)


@operation
def to_datetime(state: State, arg: Any, *args: Any, **options: Any) -> Any:
    """`pd.to_datetime`: the format that pandas inferred from training's first value, and training's dtype and unit."""
    given = {**dict(zip(_DATETIME, args, strict=False)), **options}
    if state["format"] is not None:
        given["format"] = state["format"]
    return _like_training(pd.to_datetime(arg, **given), state["dtype"])
