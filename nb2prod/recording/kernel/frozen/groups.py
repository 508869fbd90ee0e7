"""Statistics of groups: ``groupby(...).transform``, ``apply``, ``ngroup``."""

from typing import Any

from .asked import TRIED, noted, row_wise
from .call import Call, Entry, NoEntry, columns_of, is_pandas, undisturbed, unneeded
from .group_keys import first_rows, grouper, keys_of
from .group_statistics import is_group_statistic
from .matching import register
from .packing import object_index, pack, pack_dtype, unique_names


def _transforms(call: Call) -> bool:
    func = call.arg(0, "func")
    return is_group_statistic(func) or (callable(func) and not isinstance(func, str))


def _group_table(call: Call, result: Any) -> "dict[str, Any]":
    rows = first_rows(call.receiver)
    parts = columns_of(result)
    return {
        "how": "table",
        "keys": keys_of(call.receiver, rows),
        "columns": pack(result.columns) if is_pandas(result, "DataFrame") else None,
        "values": [pack(part.iloc[rows].rename(None).array) for part in parts],
        "dtypes": [pack_dtype(part.dtype) for part in parts],
    }


def _capture_group_transform(call: Call, result: Any) -> Any:
    grouper(call.receiver)
    if len(result) != len(call.receiver.obj):  # pandas gives no rows where none has a key
        raise unneeded("there is not one value for each row")
    if is_pandas(result, "DataFrame"):
        unique_names(result)
    if is_group_statistic(call.arg(0, "func")):
        return _group_table(call, result)
    return _capture_group_function(call, result, "transform")


def _capture_group_apply(call: Call, result: Any) -> Any:
    grouper(call.receiver)
    if not is_pandas(result, "Series") or len(result) != len(call.receiver.obj):
        raise unneeded("`groupby(...).apply` gave something else than one value for each row")
    return _capture_group_function(call, result, "apply")


def _capture_group_function(call: Call, result: Any, how: str) -> Any:
    """Run the function once more and note what it asks of each group (see `watched`)."""
    several = len(grouper(call.receiver).groupings) > 1
    framed = is_pandas(result, "DataFrame")
    parts = columns_of(result)
    tapes: dict[Any, list[Any]] = {}
    scalars = alike = True

    for position, part in enumerate(parts):

        def run(group: Any, position: int = position) -> Any:
            nonlocal scalars, alike
            name = group.name
            made, log = noted(call, group, name)
            bare = name[0] if isinstance(name, tuple) and len(name) == 1 and not several else name
            tapes.setdefault(_same(bare), [bare] + [[] for _ in parts])[position + 1] = log
            if not log and len(tapes) <= TRIED:
                alike = alike and row_wise(call, group, made, name)
            scalars = (scalars and not hasattr(made, "__len__")) or isinstance(made, str)
            return made

        rows = _one_column(call.receiver, result.columns[position]) if framed else call.receiver
        with undisturbed():
            again = getattr(rows, how)(run)
        if not again.astype(part.dtype).equals(part.rename(again.name)):
            raise NoEntry(
                "F11",
                "The function gives other values when it is run again.",
                "Take away what changes from run to run, such as random numbers without a seed.",
            )
    if scalars and how == "transform":
        return _group_table(call, result)
    if not any(any(tape[1:]) for tape in tapes.values()):
        if alike:
            raise unneeded("a row alone gets the same value")
        raise NoEntry(
            "F7",
            "The function needs its whole group, but takes no statistic of it that can be kept (a mean, a mode …).",
            "Take the statistic by its name, `groupby(...)[column].transform('median')`, then use it with the column.",
        )
    bare = [tape[0] for tape in tapes.values()]
    levels = [[key[k] for key in bare] for k in range(len(bare[0]))] if several else [bare]
    return {
        "how": "replay",
        "several": several,
        "keys": [{"dtype": "object", "values": pack(object_index(level))["values"]} for level in levels],
        "columns": pack(result.columns) if framed else None,
        "tapes": [tape[1:] for tape in tapes.values()],
        "dtypes": [pack_dtype(part.dtype) for part in parts],
    }


def _one_column(groups: Any, name: Any) -> Any:
    try:
        return groups[name]
    except IndexError:  # the notebook selected columns already, which pandas allows only once
        return groups._gotitem(name, ndim=1)


def _same(key: Any) -> Any:
    """One form for each key, though nan is not equal to nan."""
    if isinstance(key, tuple):
        return tuple(map(_same, key))
    return ("missing",) if key is None or (str(key) in ("nan", "NaT", "<NA>") and not isinstance(key, str)) else key


def _capture_group_number(call: Call, result: Any) -> Any:
    rows = first_rows(call.receiver)
    return {
        "keys": keys_of(call.receiver, rows),
        "values": [pack(result.iloc[rows].array)],
        "dtypes": [pack_dtype(result.dtype)],
    }


ENTRIES = register(
    Entry(
        "group_transform",
        "F7",
        "the group statistics of training, by group key",
        ("SeriesGroupBy.transform", "DataFrameGroupBy.transform"),
        _capture_group_transform,
        _transforms,
    ),
    Entry(
        "group_apply",
        "F7",
        "the group statistics of training, by group key",
        ("SeriesGroupBy.apply",),
        _capture_group_apply,
        _transforms,
    ),
    Entry(
        "group_number",
        "F7",
        "the number of each group in training",
        ("SeriesGroupBy.ngroup", "DataFrameGroupBy.ngroup"),
        _capture_group_number,
        suffix="group_numbers",
    ),
)
