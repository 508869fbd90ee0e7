"""Functions that give one value for a group, whatever its rows."""

from typing import Any

from ..guard import module_of, name_of

_REDUCTIONS = frozenset(
    "mean median std var sem sum prod min max count size nunique first last any all skew kurt idxmin idxmax "
    "quantile".split()
)


_BUILTIN = frozenset({"sum", "min", "max", "len", "any", "all"})


_OF_NUMPY = frozenset(
    "mean median std var sum prod min max amin amax nanmean nanmedian nanstd nanvar nansum nanmin nanmax ptp size "
    "count_nonzero".split()
)


def is_group_statistic(func: Any) -> bool:
    """Whether `transform(func)` gives one value for each group whatever the rows."""
    if isinstance(func, str):
        return func in _REDUCTIONS
    name, module = name_of(func), module_of(func)
    return (module == "builtins" and name in _BUILTIN) or (module.startswith("numpy") and name in _OF_NUMPY)
