"""Frozen operations: row-wise twins of pandas and scikit-learn calls whose answer depends on the batch.

Each takes the state that training left first, then the arguments of the call it stands for (a method's receiver
before them), evaluated on the request's rows. For any subset of training's rows the answer is what training had at
those rows: same dtype, same columns, same order. What training never saw gets what the notebook's own call gives to
an unknown: zeros in dummies, a missing value from a group table, code -1.
The state is plain data, made by the module of the same work in `recording/kernel/frozen` when the notebook was recorded. It is never changed here.
"""

from .bins import cut, qcut
from .categories import as_category, categorical, factorize, get_dummies, set_categories, str_get_dummies, unique
from .columns import add_constant, as_dtypes, by_column, columns, json_normalize, same_type, str_split
from .groups import group_apply, group_number, group_transform
from .packing import StateMismatch
from .parsing import date_text, to_datetime, to_numeric
from .scaling import (
    boxcox,
    maxabs_scale,
    minmax_scale,
    power_transform,
    quantile_transform,
    robust_scale,
    scale,
    yeojohnson,
    zscore,
)

__all__ = [
    "StateMismatch",
    "add_constant",
    "as_category",
    "as_dtypes",
    "boxcox",
    "by_column",
    "categorical",
    "columns",
    "cut",
    "date_text",
    "factorize",
    "get_dummies",
    "group_apply",
    "group_number",
    "group_transform",
    "json_normalize",
    "maxabs_scale",
    "minmax_scale",
    "power_transform",
    "qcut",
    "quantile_transform",
    "robust_scale",
    "same_type",
    "scale",
    "set_categories",
    "str_get_dummies",
    "str_split",
    "to_datetime",
    "to_numeric",
    "unique",
    "yeojohnson",
    "zscore",
]
