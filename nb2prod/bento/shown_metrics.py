"""The metrics that the notebook's own run showed: read from the executed notebook's outputs, never computed again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

_METRIC = re.compile(r"(\w+_(score|error|loss|deviance)|score|r2|accuracy|auc|cohen_kappa_score|matthews_corrcoef)")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?%?(?![\w.])")
_MOST = 20


def of_executed(document: Mapping[str, Any]) -> dict[str, float]:
    """Name -> value for each metric that a cell shows as its result, or prints alone on a line, in the notebook's order.

    Args:
        document: the executed notebook's JSON.
    """
    found: dict[str, float] = {}
    bound: dict[str, str] = {}
    for cell in document.get("cells", []):
        if cell.get("cell_type") != "code":
            continue
        try:
            body = ast.parse(_text(cell.get("source", ""))).body
        except SyntaxError:
            continue  # a magic; it shows no metric that could be told
        bound.update(_bound(body))
        for name, value in _shown(body, cell.get("outputs", []), bound):
            found.setdefault(name, value)
    return dict(list(found.items())[:_MOST])


def _bound(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Variables that hold a metric."""
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            metric = _metric_in(node.value, {})
            if metric:
                yield node.targets[0].id, metric


def _shown(body: list[ast.stmt], outputs: list[Any], bound: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    prints = [n.value for n in body if isinstance(n, ast.Expr) and _is_print(n.value)]
    lines = "".join(_text(o.get("text", "")) for o in outputs if o.get("output_type") == "stream").splitlines()
    if len(prints) == len(lines):
        for call, line in zip(prints, lines, strict=True):
            name = _metric_in(call, bound)
            numbers = _NUMBER.findall(line)
            if name and len(numbers) == 1:
                yield name, _value(numbers[0])
    if body and isinstance(body[-1], ast.Expr) and not _is_print(body[-1].value):
        name = _metric_in(body[-1].value, bound)
        results = [o for o in outputs if o.get("output_type") == "execute_result"]
        if name and results:
            text = _text(results[0].get("data", {}).get("text/plain", "")).strip()
            match = re.fullmatch(r"(?:np\.float\d+\()?([^()]*)\)?", text)
            if match and _NUMBER.fullmatch(match[1]):
                yield name, _value(match[1])


def _metric_in(node: ast.AST, bound: Mapping[str, str]) -> str | None:
    """The one metric that an expression computes or names; None for none or several."""
    names = set()
    for item in ast.walk(node):
        if isinstance(item, ast.Call):
            function = item.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if _METRIC.fullmatch(name):
                names.add(name)
        elif isinstance(item, ast.Name) and item.id in bound:
            names.add(bound[item.id])
    return names.pop() if len(names) == 1 else None


def _is_print(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


def _value(text: str) -> float:
    return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)


def _text(value: Any) -> str:
    return "".join(value) if isinstance(value, list) else str(value)
