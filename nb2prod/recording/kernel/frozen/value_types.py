"""The type of what a function gives for each row, which pandas infers of all results."""

from typing import Any

from .call import Call, Entry, columns_of, is_pandas, kind_of, library, undisturbed, unneeded
from .matching import register
from .packing import pack, pack_dtype, unique_names


def _gives_values(call: Call) -> bool:
    if not is_pandas(call.receiver, "DataFrame"):
        return len(call.receiver) > 1
    return call.arg(1, "axis", 0) in (1, "columns") and len(call.receiver) > 1


def _capture_type(call: Call, result: Any) -> Any:
    """What a row alone would have otherwise: pandas infers dtypes, and a frame's columns, from all results."""
    pandas = library("pandas")
    framed = is_pandas(result, "DataFrame")
    if not is_pandas(result, "Series", "DataFrame") or len(result) != len(call.receiver):
        raise unneeded(f"`{call.name}` gave something else than one result for each row")
    if framed:
        unique_names(result)
    telling = {0, len(result) // 2, len(result) - 1}
    for part in columns_of(result):
        known = pandas.notna(part).to_numpy()
        telling.update((~known).nonzero()[0][:1].tolist())
        if kind_of(part) == "f":
            telling.update(((part % 1 == 0).to_numpy() & known).nonzero()[0][:1].tolist())
    with undisturbed():
        for position in sorted(telling):
            try:
                alone = getattr(call.receiver.iloc[[position]], call.name)(*call.args, **call.kwargs)
            except (
                Exception
            ) as problem:  # an array beside the rows (`a.where(a.notna(), others)`) is as long as they are
                raise unneeded("a row alone can't be asked with what stands for all rows") from problem
            if _shape_of(alone) != _shape_of(result):
                columns = pack(result.columns) if framed else None
                return {
                    "method": call.name,
                    "columns": columns,
                    "dtypes": [pack_dtype(p.dtype) for p in columns_of(result)],
                }
    raise unneeded("each row alone gives the same type")


def _shape_of(result: Any) -> Any:
    if is_pandas(result, "DataFrame"):
        return list(result.columns), list(result.dtypes)
    return getattr(result, "dtype", None)


ENTRIES = register(
    Entry(
        "same_type",
        "F14",
        "the dtype that the function's results had in training",
        ("Series.map", "Series.apply", "DataFrame.apply"),
        _capture_type,
        _gives_values,
        suffix="type",
    ),
    Entry(
        "same_type",
        "F14",
        "the dtype that the replaced values had in training",
        tuple(f"{of}.{name}" for of in ("Series", "DataFrame") for name in ("replace", "where", "mask")),
        _capture_type,
        lambda call: len(call.receiver) > 1 and not call.kwargs.get("inplace"),
        suffix="type",
    ),
)
