"""pandas objects as plain data, which the runtime's ``frozen/packing.py`` reads back."""

from typing import Any

from .call import NoEntry, library


def pack_dtype(dtype: Any) -> Any:
    """A dtype as its name, a categorical with its categories; `unpack_dtype` reads it."""
    if getattr(dtype, "name", "") == "category" and getattr(dtype, "categories", None) is not None:
        return {"categories": pack(dtype.categories), "ordered": bool(dtype.ordered)}
    return str(dtype)


def pack(values: Any) -> "dict[str, Any]":
    """An Index or array as plain data: values, dtype, name; `unpack` reads it."""
    pandas = library("pandas")
    index = values if isinstance(values, pandas.Index) else pandas.Index(values)
    dtype = pack_dtype(index.dtype)
    packed: dict[str, Any] = {"dtype": dtype, "values": []}
    if index.name is not None:
        packed["name"] = index.name
    if isinstance(dtype, str) and dtype.startswith("interval"):
        packed.update(left=pack(index.left), right=pack(index.right), closed=index.closed)
        del packed["values"]
        return packed
    listed = index.tolist()
    if isinstance(dtype, str) and dtype.startswith("period"):
        listed = [None if pandas.isna(v) else str(v) for v in listed]
    elif dtype != "object" and bool(getattr(index, "hasnans", True)):
        listed = [None if pandas.isna(v) else v for v in listed]
    else:
        listed = [None if v is pandas.NaT or v is getattr(pandas, "NA", pandas.NaT) else v for v in listed]
    packed["values"] = listed
    return packed


def unique_names(frame: Any) -> None:
    names = frame.columns
    if getattr(names, "nlevels", 1) > 1 or not names.is_unique:
        raise NoEntry(
            "F4",
            "The frame has several columns of one name, or column names of several levels.",
            "Give each column one name of its own first: `df.columns = [...]`.",
        )


def dtypes_of(frame: Any) -> "list[Any]":
    return [pack_dtype(dtype) for dtype in frame.dtypes]


def made_columns(frame: Any) -> "dict[str, Any]":
    """The names and the types of a frame's columns, as a state keeps them."""
    return {"columns": pack(frame.columns), "dtypes": dtypes_of(frame)}


def object_index(values: Any) -> Any:
    """An Index of Python values, whatever they are."""
    pandas = library("pandas")
    plain = [v.item() if type(v).__module__ == "numpy" and v.dtype.kind in "iufb" else v for v in values]
    return pandas.Index(plain, dtype=object, tupleize_cols=False)
