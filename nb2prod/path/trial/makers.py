"""Which statement of the served code makes a feature, found by running them one by one and seeing which columns each changes.

A part of the trial, run in the kernel's own Python.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import pandas as pd

_MOST_COLUMNS = 1_000
_Digests = set[tuple[str, int]]


def find(
    function: ast.FunctionDef, module: Mapping[str, Any], rows: pd.DataFrame, request: AbstractContextManager[Any]
) -> dict[str, str]:
    """Column name -> source of the statement that makes it, for the columns of all tables that `function` computes from `rows`.

    Of the statements that change a column the one that changes the fewest others tells most; the last of them wins. Columns that the
    request gives and nothing changes are left out.
    """
    names: dict[str, Any] = {**module, "rows": rows.copy()}
    known = _columns(names)
    best: dict[str, tuple[int, str]] = {}
    with warnings.catch_warnings(), request:
        warnings.simplefilter("ignore")
        for statement in function.body:
            if isinstance(statement, ast.Return):
                break
            exec(
                compile(ast.Module([statement], []), "features.py", "exec"), names
            )  # the generated module's own statements
            now = _columns(names)
            changed = {name for name, _ in now - known}
            known |= now
            for name in changed:
                if name not in best or len(changed) <= best[name][0]:
                    best[name] = (len(changed), ast.unparse(statement))
    return {name: source for name, (_, source) in best.items()}


def _columns(names: Mapping[str, Any]) -> _Digests:
    found: _Digests = set()
    for value in list(names.values()):
        if isinstance(value, pd.DataFrame) and value.shape[1] <= _MOST_COLUMNS:
            found |= {(str(label), _digest(value.iloc[:, at])) for at, label in enumerate(value.columns)}
    return found


def _digest(column: pd.Series[Any]) -> int:
    return hash((str(column.dtype), *map(repr, column.tolist())))
