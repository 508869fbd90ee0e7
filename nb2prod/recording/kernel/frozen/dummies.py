"""One column for each category: ``get_dummies``."""

from typing import Any

from .call import Call, Entry, NoEntry, is_pandas, library
from .matching import register
from .packing import made_columns, pack, unique_names


def _categories(values: Any) -> Any:
    pandas = library("pandas")
    series = values if isinstance(values, pandas.Series) else pandas.Series(values)
    return series.astype("category").cat.categories


def _capture_dummies(call: Call, result: Any) -> Any:
    pandas = library("pandas")
    data = call.arg(0, "data")
    options = {"dummy_na": bool(call.arg(3, "dummy_na", False)), "drop_first": bool(call.arg(6, "drop_first", False))}

    def block(values: Any, name: Any = None) -> "dict[str, Any]":
        categories = _categories(values)
        width = len(categories) + options["dummy_na"]
        count = max(width - options["drop_first"], 0)
        if len(categories) == 0 and not options["dummy_na"]:
            count = 0
        return {"column": name, "categories": pack(categories), "count": count, **options}

    state: dict[str, Any] = {"kind": "series", "kept": [], **made_columns(result)}
    if isinstance(data, pandas.DataFrame):
        unique_names(data)
        named = call.arg(4, "columns") if len(call.args) > 4 else call.kwargs.get("columns")
        if named is None:
            encoded = list(data.select_dtypes(include=["object", "string", "category"]).columns)
        else:
            encoded = list(named)
        state["kind"] = "frame"
        state["kept"] = [c for c in data.columns if c not in set(encoded)]
        state["blocks"] = [block(data[c], c) for c in encoded]
    else:
        state["blocks"] = [block(data)]
    if len(state["kept"]) + sum(b["count"] for b in state["blocks"]) != result.shape[1]:
        raise NoEntry(
            "F4",
            "`get_dummies` made other columns than its options say.",
            "Name the columns to encode: `pd.get_dummies(df, columns=[...])`.",
        )
    return state


def _capture_str_dummies(call: Call, result: Any) -> Any:
    if not is_pandas(result, "DataFrame"):
        raise NoEntry("F4", "`.str.get_dummies` of an Index has no row-wise form.", "Use it on a Series.")
    return made_columns(result)


ENTRIES = register(
    Entry(
        "get_dummies",
        "F4",
        "the categories and columns that get_dummies made in training",
        ("pandas:get_dummies",),
        _capture_dummies,
        suffix="dummies",
    ),
    Entry(
        "str_get_dummies",
        "F4",
        "the columns that str.get_dummies made in training",
        ("StringMethods.get_dummies",),
        _capture_str_dummies,
        suffix="dummies",
    ),
)
