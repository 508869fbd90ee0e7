"""Turn the plain data of a state back into pandas objects, and give results the dtype that training had."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import pandas as pd

State = dict[str, Any]


class StateMismatch(ValueError):
    """The request's rows don't fit what was recorded: another shape of input, or other code than training ran."""


_P = ParamSpec("_P")
_R = TypeVar("_R")


def operation(function: Callable[Concatenate[State, _P], _R]) -> Callable[Concatenate[Any, _P], _R]:
    """Take the state as it is kept: `("frozen", {...})`, a tuple, which `captured` hands out without copying it."""

    @wraps(function)
    def opened(state: Any, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        return function(state[1] if isinstance(state, tuple) else state, *args, **kwargs)

    return opened


_CACHE_SIZE = 256
_prepared: "OrderedDict[tuple[int, str], tuple[Any, Any]]" = OrderedDict()


def prepared(state: Any, purpose: str, build: Callable[[Any], Any]) -> Any:
    """`build(state)`, made once for each state object: lookups over many groups are not rebuilt by every request.

    The entry keeps the state alive, so its id can't come to mean another object.
    """
    key = (id(state), purpose)
    found = _prepared.get(key)
    if found is not None and found[0] is state:
        return found[1]
    value = build(state)
    _prepared[key] = (state, value)
    while len(_prepared) > _CACHE_SIZE:
        try:
            _prepared.popitem(last=False)
        except KeyError:  # another thread emptied it first
            break
    return value


def unpack_dtype(packed: Any) -> Any:
    """The dtype written by `pack_dtype`: a name, or the categories of a categorical."""
    if isinstance(packed, dict):
        return pd.CategoricalDtype(unpack(packed["categories"]), ordered=packed["ordered"])
    return pd.api.types.pandas_dtype(packed)


def unpack(packed: State) -> "pd.Index[Any]":
    """The Index written by `pack`: values, dtype and name exact."""
    name = packed.get("name")
    dtype = packed["dtype"]
    if "left" in packed:
        return pd.IntervalIndex.from_arrays(
            unpack(packed["left"]), unpack(packed["right"]), closed=packed["closed"], name=name
        )
    if isinstance(dtype, dict):
        return pd.CategoricalIndex(packed["values"], dtype=unpack_dtype(dtype), name=name)
    # tupleize_cols: a column named by a tuple stays one name
    index: pd.Index[Any] = pd.Index(packed["values"], dtype=unpack_dtype(dtype), name=name, tupleize_cols=False)
    return index


def with_dtype(values: Any, packed: Any) -> Any:
    """Give a Series training's dtype where no value is lost by it.

    An unseen key brings a missing value to a column of integers: then pandas' own wider dtype stays, as it would
    have in the notebook.
    """
    dtype = unpack_dtype(packed)
    if values.dtype == dtype:
        return values
    if isinstance(dtype, np.dtype) and dtype.kind in "iub" and bool(values.isna().any()):
        return values.astype("float64") if dtype.kind in "iu" else values
    try:
        return values.astype(dtype)
    except (TypeError, ValueError, OverflowError):
        return values


def take(values: "pd.Index[Any]", slots: "np.ndarray[Any, Any]") -> "pd.Series[Any]":
    """The values at `slots`, missing where a slot is -1; the dtype widens only if one is."""
    return pd.Series(values).reset_index(drop=True).reindex(slots).reset_index(drop=True)


def missing(values: Any) -> "np.ndarray[Any, Any]":
    """Where a one-dimensional input holds a missing value."""
    return np.asarray(pd.isna(pd.Series(values)), dtype=bool)
