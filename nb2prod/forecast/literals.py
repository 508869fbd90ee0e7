"""What can be told from literals in the source: column names, and which parameter gets which argument."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.forecast.values import PLAIN, Value


def bound(parameters: ast.arguments, args: tuple[Value, ...], keywords: dict[str, Value]) -> dict[str, Value]:
    names = [item.arg for item in (*parameters.posonlyargs, *parameters.args)]
    bound = dict.fromkeys([*names, *(item.arg for item in parameters.kwonlyargs)], PLAIN)
    bound.update(zip(names, args, strict=False))
    bound.update({name: value for name, value in keywords.items() if name in bound})
    for extra in (parameters.vararg, parameters.kwarg):
        if extra is not None:
            bound[extra.arg] = PLAIN
    return bound


def at_position(key: ast.Tuple, order: ast.AST | None) -> frozenset[str]:
    """The column that `iloc[:, 0]` takes of a frame whose columns were listed."""
    names = list(strings(order)) if order is not None else []
    try:
        position = ast.literal_eval(key.elts[-1])
    except (ValueError, TypeError):
        return frozenset()
    if isinstance(position, int) and -len(names) <= position < len(names):
        return frozenset({names[position]})
    return frozenset()


def column_names(node: ast.expr, key: Value) -> tuple[str, ...]:
    """The literal column names in a subscript; those of a variable bound to a literal too."""
    if isinstance(node, ast.Tuple) and node.elts:
        return tuple(strings(node.elts[-1]))
    found = tuple(strings(node))
    if not found and isinstance(key.node, (ast.List, ast.Constant)):
        found = tuple(strings(key.node))
    return found


def strings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for item in node.elts:
            yield from strings(item)


def is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
