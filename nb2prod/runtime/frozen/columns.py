"""Operations whose set of columns or dtypes came from looking at all of training's rows."""

import importlib
from typing import Any

import numpy as np
import pandas as pd

from .packing import State, StateMismatch, operation, unpack, unpack_dtype, with_dtype
from .tape import Tape, plain, watched


@operation
def columns(state: State, frame: pd.DataFrame, *_args: Any, **options: Any) -> Any:
    """`dropna(axis=1)`, `select_dtypes`: the columns that were kept in training."""
    labels = unpack(state["columns"])
    if state["positions"] is not None:
        return frame.iloc[:, state["positions"]].copy()
    if options.get("inplace"):
        frame.drop(columns=[c for c in frame.columns if c not in set(labels)], inplace=True)  # noqa: PD002 - as asked
        return None
    return frame.loc[:, list(labels)].copy()


@operation
def as_dtypes(state: State, values: Any, *_args: Any, **_options: Any) -> Any:
    """`convert_dtypes`, `infer_objects`: the dtypes that were chosen in training."""
    if state["kind"] == "series":
        return with_dtype(values, state["dtypes"][0]).copy()
    labels = unpack(state["columns"])
    result = values.copy()
    for name, packed in zip(labels, state["dtypes"], strict=True):
        result[name] = with_dtype(result[name], packed)
    return result


def _aligned(result: pd.DataFrame, state: State, filler: Any) -> pd.DataFrame:
    """Training's columns and dtypes; `filler(dtype)` gives the values of a column that the rows didn't bring."""
    labels = unpack(state["columns"])
    arrays: dict[int, Any] = {}
    for position, (name, packed) in enumerate(zip(labels, state["dtypes"], strict=True)):
        if name in result.columns:
            arrays[position] = with_dtype(result[name], packed)
        else:
            arrays[position] = filler(unpack_dtype(packed))
    aligned = pd.DataFrame(arrays, index=result.index)
    aligned.columns = labels
    return aligned


@operation
def str_split(state: State, strings: Any, *args: Any, **options: Any) -> pd.DataFrame:
    """`Series.str.split(expand=True)` (and `rsplit`) with training's number of columns; further parts are left out."""
    result = getattr(strings, state["method"])(*args, **options)
    absent = result.isna().all(axis=1).to_numpy() if result.shape[1] else np.ones(len(result), dtype=bool)

    def filler(dtype: Any) -> Any:
        if pd.api.types.is_object_dtype(dtype):  # None for a part that isn't there, nan for a row that is missing
            return pd.Series([np.nan if gone else None for gone in absent], index=result.index, dtype="object")
        return pd.Series(np.nan, index=result.index).astype(dtype)

    return _aligned(result, state, filler)


def _gap(index: Any, dtype: Any) -> Any:
    """A column that none of the rows has: missing everywhere."""
    gap = pd.Series(np.nan, index=index)
    return with_dtype(gap, "object" if pd.api.types.is_bool_dtype(dtype) else dtype)


@operation
def json_normalize(state: State, data: Any, *args: Any, **options: Any) -> pd.DataFrame:
    """`pd.json_normalize` with training's columns: a key that training never saw has none."""
    result = pd.json_normalize(data, *args, **options)
    return _aligned(result, state, lambda dtype: _gap(result.index, dtype))


@operation
def same_type(state: State, values: Any, *args: Any, **options: Any) -> Any:
    """`map` or `apply` of a function: the same values with the dtype, or the columns, that training's results had.

    pandas infers them from all results. Alone, a row whose result is missing would have a float's dtype, and a column
    of text none of its methods.
    """
    result = getattr(values, state["method"])(*args, **options)
    if state["columns"] is None:
        series = result if isinstance(result, pd.Series) else pd.Series(index=values.index, dtype="object")
        return with_dtype(series, state["dtypes"][0])
    frame = result if isinstance(result, pd.DataFrame) else pd.DataFrame(index=values.index)
    return _aligned(frame, state, lambda dtype: _gap(frame.index, dtype))


_NOT_FOR_FUNCTION = frozenset({"axis", "raw", "result_type", "by_row", "engine", "engine_kwargs"})


@operation
def by_column(state: State, frame: pd.DataFrame, function: Any = None, *args: Any, **options: Any) -> pd.DataFrame:
    """`frame.apply(function)` over columns: each column with what the function learned from it in training.

    The state says how: a fitted estimator for each column, a frozen operation for each, or the statistics that the
    function took from each column, in order.
    """
    options = {key: value for key, value in options.items() if key not in _NOT_FOR_FUNCTION}
    given = options.pop("args", ())
    # what stands before the function's own arguments: the axis; for apply also raw and result_type
    args = args[1:] if state["method"] == "transform" else tuple(args[3] if len(args) > 3 else given)
    arrays: dict[int, Any] = {}
    labels = unpack(state["columns"])
    for position, name in enumerate(labels):
        own = state["states"][position]
        column = frame[name]
        if state["how"] == "estimators":
            made = getattr(own, state["op"])(column)
        elif state["how"] == "operations":
            operation = getattr(importlib.import_module(__package__), state["op"])
            made = operation(own, column, *args, **options)
        else:
            with watched(Tape(own)):
                made = plain(function(Tape.series(column), *args, **options))
        made = made if isinstance(made, pd.Series) else pd.Series(np.asarray(made), index=frame.index)
        if len(made) != len(frame):
            raise StateMismatch(f"column {name!r}: {len(made)} values came of {len(frame)} rows")
        arrays[position] = with_dtype(made, state["dtypes"][position])
    result = pd.DataFrame(arrays, index=frame.index)
    result.columns = labels
    return result


@operation
def add_constant(state: State, data: Any, *_args: Any, **_options: Any) -> Any:
    """`statsmodels.api.add_constant`: the column of ones if training got one, where training got it."""
    if not state["added"]:
        return data
    if isinstance(data, (pd.DataFrame, pd.Series)):
        made = data.to_frame() if isinstance(data, pd.Series) else data.copy()
        made.insert(0 if state["first"] else made.shape[1], "const", 1.0)
        return made
    array = np.asarray(data)
    array = array.reshape(-1, 1) if array.ndim == 1 else array
    ones = np.ones((len(array), 1))
    return np.column_stack([ones, array] if state["first"] else [array, ones])
