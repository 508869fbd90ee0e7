"""Parts of expressions that choose rows."""

from __future__ import annotations

import ast
from typing import Any

from nb2prod.recording.trace import Tree


def choice_nodes(tree: Tree, event: dict[str, Any]) -> list[int]:
    """The parts of a selecting expression that only say which rows: a subscript's row key, a method's arguments, a function."""
    expression = tree.nodes[event["node"]]
    if "table" in event:
        table = tree.nodes[event["table"]]
        return [
            tree.index[part]
            for part in ast.walk(expression)
            if isinstance(part, ast.expr) and tree.parents.get(part) is expression and part is not table
        ] + [tree.index[k.value] for k in expression.keywords if k.value is not table]
    if isinstance(expression, ast.Subscript):
        key = expression.slice
        return (
            [tree.index[key.elts[event.get("axis", 0)]]]
            if isinstance(key, ast.Tuple) and key.elts
            else [tree.index[key]]
        )
    if isinstance(expression, ast.Call):
        return [tree.index[a] for a in [*expression.args, *(k.value for k in expression.keywords)]]
    return []


def subtrees(tree: Tree, nodes: list[int]) -> set[int]:
    return {tree.index[n] for root in nodes for n in ast.walk(tree.nodes[root]) if n in tree.index}
