"""Which columns a table has, where its values decide."""

from typing import Any

from .call import Call, Entry, NoEntry, is_pandas, unneeded
from .matching import register
from .packing import made_columns, pack, pack_dtype, unique_names


def _selects_columns(call: Call) -> bool:
    if call.name == "select_dtypes":
        return True
    return call.arg(0, "axis", 0) in (1, "columns")


def _capture_columns(call: Call, result: Any) -> Any:
    kept = call.receiver if result is None else result
    if kept.columns.is_unique and getattr(kept.columns, "nlevels", 1) == 1:
        return {"columns": pack(kept.columns), "positions": None}
    raise NoEntry(
        "F8",
        f"`{call.name}` chose among columns of which several share a name.",
        "Give each column one name of its own first: `df.columns = [...]`.",
    )


def _capture_constant(call: Call, result: Any) -> Any:
    """Which column of ones `add_constant` added: one row alone always looks constant, and would get none."""
    data = call.arg(0, "data")
    if not hasattr(data, "shape"):  # a list of rows
        columns = len(data[0]) if hasattr(data[0], "__len__") else 1
    else:
        columns = data.shape[1] if len(data.shape) > 1 else 1
    wide = result.shape[1] if len(result.shape) > 1 else 1
    added = wide - columns
    return {"added": int(added), "first": bool(call.arg(1, "prepend", True))}


def _capture_dtypes(call: Call, result: Any) -> Any:
    if is_pandas(result, "DataFrame"):
        unique_names(result)
        return {"kind": "frame", **made_columns(result)}
    return {"kind": "series", "dtypes": [pack_dtype(result.dtype)]}


def _splits_wide(call: Call) -> bool:
    return call.arg(2, "expand", False) is True and is_pandas(
        getattr(call.receiver, "_parent", None), "Series", "DataFrame"
    )


def _capture_split(call: Call, result: Any) -> Any:
    return {"method": call.name, **made_columns(result)}


def _capture_made_frame(call: Call, result: Any) -> Any:
    if not is_pandas(result, "DataFrame"):
        raise unneeded("there is no frame")
    unique_names(result)
    return made_columns(result)


ENTRIES = register(
    Entry(
        "columns",
        "F8",
        "the columns that were kept in training",
        ("DataFrame.dropna", "DataFrame.select_dtypes"),
        _capture_columns,
        _selects_columns,
        suffix="kept_columns",
    ),
    Entry(
        "add_constant",
        "F4",
        "whether a column of ones was added in training",
        ("statsmodels.tools.tools:add_constant",),
        _capture_constant,
        suffix="constant",
    ),
    Entry(
        "as_dtypes",
        "F14",
        "the dtypes that training's values gave",
        ("DataFrame.convert_dtypes", "Series.convert_dtypes", "DataFrame.infer_objects", "Series.infer_objects"),
        _capture_dtypes,
        suffix="dtypes",
    ),
    Entry(
        "str_split",
        "F4",
        "the number of columns that the split made in training",
        ("StringMethods.split", "StringMethods.rsplit"),
        _capture_split,
        _splits_wide,
        suffix="parts",
    ),
    Entry(
        "json_normalize",
        "F14",
        "the columns that training's records gave",
        ("pandas:json_normalize",),
        _capture_made_frame,
        suffix="record_columns",
    ),
)
