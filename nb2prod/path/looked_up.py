"""Which captured values the generated code only looks things up in: those need no copy for each use."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def only_looked_up(sources: Iterable[str]) -> frozenset[str]:
    """Names of captured values of which no use could change them: ``x in captured.a``, ``captured.a[key]``, ``captured.a.get(key)``.

    Args:
        sources: the generated modules.
    """
    found: set[str] = set()
    other: set[str] = set()
    for source in sources:
        tree = ast.parse(source)
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            match node:
                case ast.Attribute(value=ast.Name(id="captured"), attr=name):
                    (found if _looked_up(node, parents) else other).add(name)
    return frozenset(found - other)


def _looked_up(node: ast.Attribute, parents: dict[ast.AST, ast.AST]) -> bool:
    parent = parents[node]
    match parent:
        case ast.Compare(ops=ops, left=left):
            return left is not node and all(isinstance(op, (ast.In, ast.NotIn)) for op in ops)
        case ast.Subscript(value=value, ctx=ast.Load()):
            return value is node
        case ast.Attribute(attr="get"):
            call = parents[parent]
            return isinstance(call, ast.Call) and call.func is parent
    return False
