"""A number for each value: ``factorize``, ``np.unique``."""

from typing import Any

from .call import Call, Entry, library
from .matching import register
from .packing import pack


def uniques_state(uniques: Any, dtype: Any) -> "dict[str, Any]":
    pandas = library("pandas")
    numpy = library("numpy")
    index = pandas.Index(uniques)
    absent = [i for i, gone in enumerate(pandas.isna(index)) if gone]
    return {
        "uniques": pack(index),
        "kind": "index" if isinstance(uniques, pandas.Index) else "array",
        "numpy": str(uniques.dtype) if isinstance(uniques, numpy.ndarray) else None,
        "missing_code": absent[0] if absent else -1,
        "dtype": str(dtype),
    }


def _capture_factorize(call: Call, result: Any) -> Any:
    codes, uniques = result
    return uniques_state(uniques, codes.dtype)


def _capture_unique(call: Call, result: Any) -> Any:
    positions = {"index": None, "counts": None}
    place = 1
    if call.arg(1, "return_index", False):
        positions["index"] = result[1].tolist()
        place = 2
    state = uniques_state(result[0], result[place].dtype)
    if call.arg(3, "return_counts", False):
        positions["counts"] = result[place + 1].tolist()
    return {**state, **positions}


ENTRIES = register(
    Entry(
        "factorize",
        "F4",
        "the values behind the codes of factorize, in training's order",
        ("pandas:factorize", "Series.factorize", "Index.factorize"),
        _capture_factorize,
        suffix="codes",
    ),
    Entry(
        "unique",
        "F4",
        "the sorted values behind the codes of np.unique",
        ("numpy:unique",),
        _capture_unique,
        lambda call: bool(call.arg(2, "return_inverse", False)) and call.arg(4, "axis") is None,
        suffix="codes",
    ),
)
