"""Categoricals that take their categories from the values at hand."""

from typing import Any

from .call import Call, Entry, is_pandas
from .matching import own_name, register
from .packing import pack, pack_dtype, unique_names


def means_category(dtype: Any) -> bool:
    """Whether this names a categorical without saying its categories."""
    if isinstance(dtype, str):
        return dtype == "category"
    return getattr(dtype, "name", "") == "category" and getattr(dtype, "categories", None) is None


def _wants_categories(call: Call) -> bool:
    dtype = call.arg(0, "dtype")
    return any(map(means_category, dtype.values())) if isinstance(dtype, dict) else means_category(dtype)


def _capture_as_category(call: Call, result: Any) -> Any:
    if not is_pandas(result, "DataFrame"):
        return {"kind": "series", "dtype": pack_dtype(result.dtype)}
    unique_names(result)
    dtype = call.arg(0, "dtype")
    names = [n for n in dtype if means_category(dtype[n])] if isinstance(dtype, dict) else list(result.columns)
    return {"kind": "frame", "dtypes": [[n, pack_dtype(result[n].dtype)] for n in names]}


def _categorical_depends(call: Call) -> bool:
    dtype = call.arg(3, "dtype") if own_name(call) == "Categorical" else call.arg(2, "dtype")
    if own_name(call) == "Series":
        return means_category(dtype)
    explicit = call.arg(1, "categories")
    return explicit is None and (dtype is None or means_category(dtype))


def _capture_categorical(call: Call, result: Any) -> Any:
    return {"kind": own_name(call), "dtype": pack_dtype(result.dtype)}


def _capture_set_categories(call: Call, result: Any) -> Any:
    dtype = result.dtype
    return {"categories": pack(dtype.categories), "ordered": bool(dtype.ordered)}


ENTRIES = register(
    Entry(
        "as_category",
        "F4",
        "the categories that training's values gave",
        ("Series.astype", "DataFrame.astype", "Index.astype"),
        _capture_as_category,
        _wants_categories,
        suffix="categories",
    ),
    Entry(
        "categorical",
        "F4",
        "the categories that training's values gave",
        ("pandas:Categorical", "pandas:CategoricalIndex", "pandas:Series"),
        _capture_categorical,
        _categorical_depends,
        suffix="categories",
    ),
    Entry(
        "set_categories",
        "F4",
        "the categories that training used",
        ("CategoricalAccessor.remove_unused_categories", "Categorical.remove_unused_categories"),
        _capture_set_categories,
        suffix="categories",
    ),
)
