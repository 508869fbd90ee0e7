"""Rows of a request as a table of polars, with the types that the notebook's own table had."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from typing import Any

import pandas as pd


def table(rows: pd.DataFrame, schema: Mapping[str, str]) -> Any:
    """The rows as a polars DataFrame.

    Args:
        rows: rows of the raw table.
        schema: for each column the name of its type in polars, as polars writes it (``Int64``, ``Datetime(time_unit='us', time_zone=None)``).
    """
    pl = importlib.import_module("polars")
    return pl.DataFrame([_column(pl, name, rows[name], _dtype(pl, text)) for name, text in schema.items()])


def _column(pl: Any, name: str, values: pd.Series[Any], dtype: Any) -> Any:
    gone = values.isna().tolist()
    plain = values.tolist()
    if dtype == pl.Date:
        plain = [value if missing else value.date() for value, missing in zip(plain, gone, strict=True)]
    elif dtype.is_integer():
        plain = [value if missing else int(value) for value, missing in zip(plain, gone, strict=True)]
    return pl.Series(
        name, [None if missing else value for value, missing in zip(plain, gone, strict=True)], dtype=dtype
    )


def _dtype(pl: Any, text: str) -> Any:
    return _made(pl, ast.parse(text, mode="eval").body)


def _made(pl: Any, node: ast.expr) -> Any:
    """A type of polars, or an argument of one, as its text says."""
    if isinstance(node, ast.Name):
        return getattr(pl, node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        options = {word.arg: _made(pl, word.value) for word in node.keywords if word.arg is not None}
        return getattr(pl, node.func.id)(*(_made(pl, part) for part in node.args), **options)
    return ast.literal_eval(node)
