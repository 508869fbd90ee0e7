"""Which statement of the served code looks at other rows: run on all rows and on a part of them, statement by statement.

A part of the trial, run in the kernel's own Python.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

Request = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Agreement:
    """Tells whether values of all rows (`n`) and of a part of them agree: `per_row` makes one plain value a row, `same` compares two."""

    per_row: Callable[[Any, int], list[Any]]
    same: Callable[[Any, Any], bool]

    def __call__(self, whole: Any, part: Any, at: Sequence[int], n: int) -> bool:
        """Whether `part` is what `whole` has at the positions `at`; true of what has no entry for each row."""
        if not _sized(whole) or not _sized(part) or _length(whole) != n:
            return True
        if _length(part) != len(at):
            return False
        try:
            left, right = self.per_row(whole, n), self.per_row(part, len(at))
        except Exception:
            return True
        return all(self.same(left[position], right[i]) for i, position in enumerate(at))


def find(
    function: ast.FunctionDef,
    module: Mapping[str, Any],
    rows: tuple[pd.DataFrame, list[int]],
    request: Request,
    agree: Agreement,
) -> dict[str, Any] | None:
    """The statement (`line`, `source`, and `name` or `raised`) that makes the result differ for a part of the rows; None if it doesn't.

    A difference may be harmless, such as another order that is sorted out later. The one that counts is where giving the part the whole's
    values mends the result; if none does alone, the first difference.
    """
    whole, part = rows
    n = len(whole)
    a: dict[str, Any] = {**module, "rows": whole.copy()}
    b: dict[str, Any] = {**module, "rows": whole.iloc[part].reset_index(drop=True)}
    wanted = _result(function.body, {**module, "rows": whole.copy()}, request)
    first: dict[str, Any] | None = None
    for number, statement in enumerate(function.body):
        if isinstance(statement, ast.Return):
            break
        if _run(statement, a, request) is not None:
            break
        problem = _run(statement, b, request)
        told = {"statement": number, "line": statement.lineno, "source": ast.unparse(statement)[:300]}
        if problem is not None:
            return first or {**told, "raised": f"{type(problem).__name__}: {problem}"[:200]}
        for name in sorted({x.id for x in ast.walk(statement) if isinstance(x, ast.Name)}):
            if name not in a or name not in b or agree(a[name], b[name], part, n):
                continue
            first = first or {**told, "name": name}
            mended = {**_copied(b), name: _taken(a[name], part)}
            result = _result(function.body[number + 1 :], mended, request)
            if wanted is not None and result is not None and _equal(wanted, result, (part, n), agree):
                return {**told, "name": name}
    return first


class _Outermost(ast.NodeTransformer):
    """Statements of a function, to be run as those of a module: what functions in them share with it is global there."""

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.Global:
        return ast.copy_location(ast.Global(node.names), node)


def _run(statement: ast.stmt, names: dict[str, Any], request: Request) -> Exception | None:
    code = compile(ast.Module([_Outermost().visit(copy.deepcopy(statement))], []), "features.py", "exec")
    with warnings.catch_warnings(), request():
        warnings.simplefilter("ignore")
        try:
            exec(code, names)  # the generated module's own statements
        except Exception as problem:
            return problem
    return None


def _result(body: Sequence[ast.stmt], names: dict[str, Any], request: Request) -> list[Any] | None:
    """What the function would return from here on, as a list; None if it fails."""
    for statement in body:
        if isinstance(statement, ast.Return):
            kept = ast.Assign([ast.Name("__returned__", ast.Store())], statement.value or ast.Constant(None))
            if _run(ast.fix_missing_locations(ast.copy_location(kept, statement)), names, request) is not None:
                return None
            value = names["__returned__"]
            return list(value) if isinstance(value, tuple) else [value]
        if _run(statement, names, request) is not None:
            return None
    return None


def _equal(whole: list[Any], part: list[Any], at: tuple[list[int], int], agree: Agreement) -> bool:
    return len(whole) == len(part) and all(agree(w, p, *at) for w, p in zip(whole, part, strict=True))


def _copied(names: Mapping[str, Any]) -> dict[str, Any]:
    """Names whose tables can be changed without changing these."""
    return {k: copy.copy(v) if _sized(v) else v for k, v in names.items()}


def _taken(value: Any, part: list[int]) -> Any:
    """The rows at `part`, numbered from 0 as a request's are."""
    if isinstance(value, (pd.DataFrame, pd.Series)):
        return value.iloc[part].reset_index(drop=True)
    return [value[i] for i in part] if isinstance(value, list) else value[part]


def _sized(value: Any) -> bool:
    return isinstance(value, (pd.DataFrame, pd.Series, np.ndarray, list)) or hasattr(type(value), "tocsr")


def _length(value: Any) -> int:
    shape = getattr(value, "shape", None)
    return int(shape[0]) if shape else len(value) if isinstance(value, list) else -1
