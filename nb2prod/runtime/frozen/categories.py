"""Categories, dummies and codes, with the categories that training saw."""

from typing import Any

import numpy as np
import pandas as pd

from .packing import State, missing, operation, prepared, unpack, unpack_dtype


def _codes(values: Any, categories: "pd.Index[Any]") -> "np.ndarray[Any, Any]":
    """The position of each value among the categories; -1 for one that is missing or was never seen."""
    series = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(series.dtype, pd.CategoricalDtype):
        own = categories.get_indexer(series.cat.categories)
        codes = series.cat.codes.to_numpy()
        return np.where(codes >= 0, np.append(own, -1)[codes], -1) if len(own) else np.full(len(series), -1)
    found = np.asarray(categories.get_indexer(pd.Index(series)))
    found[missing(series)] = -1
    return found


def _block(values: Any, block: State, dtypes: list[Any]) -> list[Any]:
    """The dummy columns of one encoded column, in training's order, each as an array of its recorded dtype."""
    categories = prepared(block, "categories", lambda b: unpack(b["categories"]))
    codes = _codes(values, categories)
    first = 1 if block["drop_first"] else 0
    width = len(categories)
    if block["dummy_na"]:
        codes = np.where(missing(values), width, codes)
        width += 1
    arrays: list[Any] = []
    for code, dtype in zip(range(first, width), dtypes, strict=True):
        arrays.append(pd.array(codes == code, dtype=bool).astype(unpack_dtype(dtype)))
    return arrays


@operation
def get_dummies(state: State, data: Any, *_args: Any, **_options: Any) -> pd.DataFrame:
    """`pd.get_dummies` with training's categories: same columns for every request, zeros for an unseen value.

    The options of the call (prefix, drop_first, dummy_na, dtype …) are in the state, since names and dtypes of all
    columns are.
    """
    labels = prepared(state, "columns", lambda s: unpack(s["columns"]))
    dtypes = state["dtypes"]
    if state["kind"] != "frame":
        (block,) = state["blocks"]
        index = data.index if isinstance(data, pd.Series) else None
        return _frame(_block(data, block, dtypes), labels, index, len(data))
    arrays: list[Any] = [data[name] for name in state["kept"]]
    for block in state["blocks"]:
        count = block["count"]
        start = len(arrays)
        arrays += _block(data[block["column"]], block, dtypes[start : start + count])
    return _frame(arrays, labels, data.index, len(data))


def _frame(arrays: list[Any], labels: "pd.Index[Any]", index: Any, length: int) -> pd.DataFrame:
    frame = pd.DataFrame(dict(enumerate(arrays)), index=index if index is not None else pd.RangeIndex(length))
    frame.columns = labels
    return frame


@operation
def str_get_dummies(state: State, strings: Any, *args: Any, **options: Any) -> pd.DataFrame:
    """`Series.str.get_dummies` with training's columns; a word that training never saw has no column."""
    labels = unpack(state["columns"])
    try:
        found = strings.get_dummies(*args, **options)
    except ValueError:  # pandas 3 can't make a table of rows without any word
        found = pd.DataFrame(index=strings.len().index)
    result: pd.DataFrame = found.reindex(columns=labels, fill_value=0)
    result = result.astype(dict(zip(labels, map(unpack_dtype, state["dtypes"]), strict=True)))
    result.columns = labels
    return result


def _uniques(state: State) -> Any:
    index = unpack(state["uniques"])
    if state["kind"] == "index":
        return index
    return index.array if state["numpy"] is None else index.to_numpy().astype(state["numpy"])


@operation
def factorize(state: State, values: Any, *_args: Any, **_options: Any) -> tuple["np.ndarray[Any, Any]", Any]:
    """`pd.factorize` or `.factorize()` with training's codes; -1 for what is missing or was never seen."""
    uniques = prepared(state, "uniques", lambda s: unpack(s["uniques"]))
    missing_code = state["missing_code"]
    codes = _codes(values, uniques).astype(state["dtype"])
    if missing_code >= 0:
        codes[missing(values)] = missing_code
    return codes, _uniques(state)


@operation
def unique(state: State, values: Any, *_args: Any, **_options: Any) -> tuple[Any, ...]:
    """`np.unique(return_inverse=True)`: training's values and each row's position among them (-1 if never seen).

    Indices and counts, where asked for, are training's.
    """
    uniques = prepared(state, "uniques", lambda s: unpack(s["uniques"]))
    array = np.asarray(values)
    inverse = _codes(array.ravel(), uniques).astype(state["dtype"])
    if state["missing_code"] >= 0:
        inverse[missing(array.ravel())] = state["missing_code"]
    result: list[Any] = [_uniques(state)]
    if state["index"] is not None:
        result.append(np.asarray(state["index"], dtype="intp"))
    result.append(inverse.reshape(array.shape))
    if state["counts"] is not None:
        result.append(np.asarray(state["counts"], dtype="intp"))
    return tuple(result)


@operation
def as_category(state: State, values: Any, dtype: Any = None, *args: Any, **options: Any) -> Any:
    """`.astype("category")` of a frame, a Series or an Index, with training's categories; an unseen value is missing.

    `.cat.codes` of the result then needs no freezing: the codes are positions among these categories.
    """
    if state["kind"] != "frame":
        return values.astype(unpack_dtype(state["dtype"]), *args, **options)
    categories = {name: unpack_dtype(packed) for name, packed in state["dtypes"]}
    wanted = {**dtype, **categories} if isinstance(dtype, dict) else categories
    return values.astype(wanted, *args, **options)


@operation
def categorical(state: State, values: Any, *_args: Any, **options: Any) -> Any:
    """`pd.Categorical(values)`, `pd.CategoricalIndex(values)` or `pd.Series(values, dtype="category")`."""
    dtype = unpack_dtype(state["dtype"])
    if state["kind"] == "Series":
        return pd.Series(values, **{**options, "dtype": dtype})
    if state["kind"] == "CategoricalIndex":
        return pd.CategoricalIndex(values, dtype=dtype, name=options.get("name"))
    return pd.Categorical(values, dtype=dtype)


@operation
def set_categories(state: State, accessor: Any, *_args: Any, **_options: Any) -> Any:
    """`.cat.remove_unused_categories()`: keep the categories that training used."""
    return accessor.set_categories(unpack(state["categories"]), ordered=state["ordered"])
