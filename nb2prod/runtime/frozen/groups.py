"""Group statistics spread over the rows, from the table of groups that training had."""

from typing import Any

import numpy as np
import pandas as pd

from .packing import State, operation, prepared, take, unpack, with_dtype
from .tape import Tape, UnseenTape, plain, watched

_MISSING = ("missing",)


def _hashable(value: Any) -> Any:
    """One form for each key: a missing part is equal to every other missing part."""
    if isinstance(value, tuple):
        return tuple(map(_hashable, value))
    return _MISSING if pd.api.types.is_scalar(value) and pd.isna(value) else value


def _table(state: State) -> dict[Any, int]:
    """Group key → position of the group in the state."""
    levels = [[_hashable(value) for value in unpack(level).tolist()] for level in state["keys"]]
    return {key: position for position, key in enumerate(zip(*levels, strict=True))}


def _row_keys(groups: Any) -> list[tuple[Any, ...]]:
    """The group key of each row of a GroupBy, in the rows' order."""
    grouper = getattr(groups, "_grouper", None)  # pandas before 2.2 calls it `grouper`
    grouper = groups.grouper if grouper is None else grouper
    levels = [pd.Series(grouping.grouping_vector).tolist() for grouping in grouper.groupings]
    return [tuple(map(_hashable, key)) for key in zip(*levels, strict=True)]


def _slots(state: State, groups: Any) -> "np.ndarray[Any, Any]":
    """For each row the position of its group in the state; -1 where training had no such group."""
    table = prepared_table(state)
    return np.fromiter((table.get(key, -1) for key in _row_keys(groups)), dtype="intp")


def prepared_table(state: State) -> dict[Any, int]:
    """The lookup of a state, made once."""
    table: dict[Any, int] = prepared(state, "groups", _table)
    return table


@operation
def group_transform(state: State, groups: Any, func: Any = None, *args: Any, **options: Any) -> Any:
    """`groupby(...).transform(func)`: each row gets its group's value of training; a row of an unseen group, missing.

    Where the function mixes a row's own value with statistics of its group, it is run on the request's rows with
    training's statistics.
    """
    if state["how"] == "replay":
        return _replayed(state, groups, "transform", func, args, options)
    slots = _slots(state, groups)
    index = groups.obj.index
    made = [
        with_dtype(take(unpack(values), slots), dtype).set_axis(index)
        for values, dtype in zip(state["values"], state["dtypes"], strict=True)
    ]
    return _like_result(state, made, groups)


def _like_result(state: State, made: list[Any], groups: Any) -> Any:
    if state["columns"] is None:
        return made[0].rename(getattr(groups.obj, "name", None))
    frame = pd.DataFrame(dict(enumerate(made)), index=groups.obj.index)
    frame.columns = unpack(state["columns"])
    return frame


@operation
def group_apply(state: State, groups: Any, func: Any = None, *args: Any, **options: Any) -> Any:
    """`groupby(...)[column].apply(func)` where func gives one value for each of its rows, as `group_transform`."""
    return _replayed(state, groups, "apply", func, args, options)


@operation
def group_number(state: State, groups: Any, *_args: Any, **_options: Any) -> "pd.Series[Any]":
    """`groupby(...).ngroup()`: training's number of the row's group; missing for a group that training never saw."""
    slots = _slots(state, groups)
    numbers = take(unpack(state["values"][0]), slots)
    typed: pd.Series[Any] = with_dtype(numbers, state["dtypes"][0])
    return typed.set_axis(groups.obj.index)


def _replayed(state: State, groups: Any, how: str, func: Any, args: Any, options: dict[str, Any]) -> Any:
    table = prepared_table(state)
    index = groups.obj.index
    options = {key: value for key, value in options.items() if key not in ("engine", "engine_kwargs")}

    def column(rows: Any, position: int) -> Any:
        def run(group: Any) -> Any:
            name = group.name
            found = table.get(tuple(map(_hashable, name)) if state["several"] else (_hashable(_bare(name)),))
            return _run(state["tapes"][found][position] if found is not None else None, group, func, args, options)

        made = getattr(rows, how)(run)
        if len(made) != len(index):  # no row has a key at all: pandas gives no rows
            made = pd.Series(np.nan, index=index, name=getattr(rows.obj, "name", None))
        return with_dtype(made, state["dtypes"][position])

    if state["columns"] is None:
        return column(groups, 0)
    made = [column(_one_column(groups, name), position) for position, name in enumerate(unpack(state["columns"]))]
    return _like_result(state, made, groups)


def _one_column(groups: Any, name: Any) -> Any:
    try:
        return groups[name]
    except IndexError:  # the notebook selected columns already, which pandas allows only once
        return groups._gotitem(name, ndim=1)  # noqa: SLF001


def _bare(name: Any) -> Any:
    return name[0] if isinstance(name, tuple) and len(name) == 1 else name


def _run(tape: Any, group: Any, func: Any, args: Any, options: dict[str, Any]) -> Any:
    """The notebook's function on one group's rows; missing where it can't cope with a group it never met."""
    series = Tape.series(group)
    object.__setattr__(series, "name", group.name)
    if tape is not None:
        with watched(Tape(tape)):
            return plain(func(series, *args, **options))
    try:
        with watched(UnseenTape()):
            return plain(func(series, *args, **options))
    except Exception:  # any failure of the notebook's own function on an unknown group means: no answer
        return pd.Series(np.nan, index=group.index)
