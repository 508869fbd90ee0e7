"""The table of frozen operations: every module that enters some, in the order in which a call is held against them."""

from . import (
    bins,
    by_column,
    categories,
    codes,
    columns,
    dummies,
    estimators,
    groups,
    numbers_and_dates,
    scaling,
    statistics,
    value_types,
)
from .call import Entry

TABLE: "tuple[Entry, ...]" = (
    *dummies.ENTRIES,
    *codes.ENTRIES,
    *categories.ENTRIES,
    *bins.ENTRIES,
    *groups.ENTRIES,
    *estimators.ENTRIES,
    *scaling.ENTRIES,
    *statistics.ENTRIES,
    *columns.ENTRIES,
    *numbers_and_dates.ENTRIES,
    *by_column.ENTRIES,
    *value_types.ENTRIES,
)
