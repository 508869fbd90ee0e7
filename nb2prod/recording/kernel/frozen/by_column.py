"""``frame.apply(func)``: what func learns of each column."""

from typing import Any

from ..guard import name_of
from .asked import NOT_FOR_FUNC, noted, passed_on, row_wise
from .call import Call, Entry, NoEntry, is_pandas, library, undisturbed, unneeded
from .group_statistics import is_group_statistic
from .matching import SERVED_BY, of_function, register
from .packing import dtypes_of, pack


def _applies_to_columns(call: Call) -> bool:
    func = call.arg(0, "func")
    return callable(func) and call.arg(1, "axis", 0) in (0, "index") and not is_group_statistic(func)


def _capture_by_column(call: Call, result: Any) -> Any:
    """`frame.apply(func)`: what func learns of each column, in the way that suits func."""
    frame, func = call.receiver, call.arg(0, "func")
    if not is_pandas(result, "DataFrame") or len(result) != len(frame) or list(result.columns) != list(frame.columns):
        raise unneeded("the function gives no value for each row of each column")
    if not result.columns.is_unique:
        raise unneeded("columns share a name")
    own = getattr(func, "__self__", None)
    if name_of(func) in ("fit_transform", "fit_predict") and own is not None:
        how, op, states = "estimators", SERVED_BY[func.__name__], [_fitted(own, frame[name]) for name in frame]
    else:
        entry = of_function(func)
        op = entry.op if entry else ""
        how = "operations" if entry else "replay"
        states = [_column_state(call, entry, frame[name]) for name in frame]
        if not entry and not any(states):
            if all(row_wise(call, frame[name], result[name], name) for name in frame):
                raise unneeded("a row alone gets the same value")
            raise NoEntry(
                "F2",
                "The function needs its whole column, but takes no statistic of it that can be kept (a mean …).",
                "Write the statistic on a line of its own, then use it.",
            )
    return {
        "how": how,
        "op": op,
        "method": call.name,
        "columns": pack(result.columns),
        "states": states,
        "dtypes": dtypes_of(result),
    }


def _fitted(estimator: Any, column: Any) -> Any:
    base = library("sklearn.base")
    with undisturbed():
        return (base.clone(estimator) if base else type(estimator)()).fit(column)


def _column_state(call: Call, entry: Any, column: Any) -> Any:
    with undisturbed():
        if entry is None:
            return noted(call, column, column.name)[1]
        given = {k: v for k, v in call.kwargs.items() if k not in NOT_FOR_FUNC}
        func = call.arg(0, "func")
        args = (column, *passed_on(call))
        nested = Call(func, None, name_of(func), args, given)
        made = func(*args, **given)
        if isinstance(made, tuple):
            raise NoEntry(entry.rule, f"`{nested.name}` gives several results for a column", "apply it to one column")
        return entry.capture(nested, made)


ENTRIES = register(
    Entry(
        "by_column",
        "F2",
        "what the function took from each column in training",
        ("DataFrame.apply", "DataFrame.transform"),
        _capture_by_column,
        _applies_to_columns,
        suffix="column_statistics",
    ),
)
