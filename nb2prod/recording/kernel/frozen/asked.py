"""The function of an ``apply`` or ``transform``, run once more: what it asks of its values, and whether it needs them all."""

from typing import Any

from .call import Call, is_pandas, library
from .notes import LOGS, plain_value
from .watched import watched

TRIED = 20
"""So many groups are enough to see whether a function works row by row."""


def row_wise(call: Call, values: Any, made: Any, name: Any) -> bool:
    """Whether the function gives single rows and a half of the rows what it gave them among all."""
    pandas = library("pandas")
    length = len(values)
    if length < 2:
        return True
    try:
        whole = pandas.Series(getattr(made, "array", made), index=range(length))
        for chosen in ([0], [length - 1], [length // 2], list(range(0, length, 2))):
            alone = noted(call, values.iloc[chosen], name)[0]
            part = pandas.Series(getattr(alone, "array", alone), index=range(len(chosen)))
            if not part.equals(whole.iloc[chosen].set_axis(part.index).astype(part.dtype)):
                return False
    except Exception:  # the notebook's function, on other rows than it was written for
        return False
    return True


def noted(call: Call, values: Any, name: Any) -> "tuple[Any, list[Any]]":
    """Run the function of an apply or transform on these values; its result and what it asked of them, in order."""
    func = call.arg(0, "func")
    given = {k: v for k, v in call.kwargs.items() if k not in NOT_FOR_FUNC}
    args = passed_on(call)
    series = watched()(values)
    object.__setattr__(series, "name", name)
    log: list[Any] = []
    LOGS.append(log)
    try:
        made = func(series, *args, **given)
    finally:
        LOGS.pop()
    return plain_value(made), log


def passed_on(call: Call) -> "tuple[Any, ...]":
    """The positional arguments that an apply or transform hands on to its function."""
    if not is_pandas(call.receiver, "DataFrame"):
        return call.args[1:]
    if call.name == "transform":
        return call.args[2:]
    return tuple(call.arg(4, "args", ()))


NOT_FOR_FUNC = frozenset(
    {"func", "engine", "engine_kwargs", "axis", "raw", "result_type", "args", "by_row", "include_groups"}
)
