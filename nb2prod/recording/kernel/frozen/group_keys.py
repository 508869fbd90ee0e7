"""The groups of a ``groupby``: one row of each, and their keys."""

from typing import Any

from .call import NoEntry, library
from .packing import pack


def grouper(groups: Any) -> Any:
    found = getattr(groups, "_grouper", None)
    found = groups.grouper if found is None else found
    if type(found).__name__ == "BinGrouper":
        raise NoEntry(
            "F7",
            "The groups of `pd.Grouper(freq=…)` start at the first date of the batch.",
            'Group by a part of the date, such as `df["date"].dt.to_period("M")`.',
        )
    return found


def first_rows(groups: Any) -> Any:
    """The position of one row of each group, in the groups' order."""
    numpy = library("numpy")
    numbers = numpy.asarray(groups.ngroup(), dtype=float)
    inside = numpy.flatnonzero(numbers >= 0)
    return inside[numpy.unique(numbers[inside], return_index=True)[1]]


def keys_of(groups: Any, rows: Any) -> "list[Any]":
    """The key of each of these rows, one packed column for each level."""
    pandas = library("pandas")
    levels = [pandas.Series(grouping.grouping_vector).iloc[rows] for grouping in grouper(groups).groupings]
    plain = [level.astype(level.cat.categories.dtype) if level.dtype.name == "category" else level for level in levels]
    return [pack(pandas.Index(level.tolist(), dtype=_key_dtype(level), tupleize_cols=False)) for level in plain]


def _key_dtype(level: Any) -> Any:
    return level.dtype if not level.isna().any() or level.dtype.kind not in "iub" else "object"
