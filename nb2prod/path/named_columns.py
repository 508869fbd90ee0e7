"""Which columns an expression asks for: named in it, or in the notebook's functions that it names."""

from __future__ import annotations

import ast

from nb2prod.path.scopes import Namespace, free_names
from nb2prod.recording.trace import Tree

_DEPTH = 4


def columns_named(namespace: Namespace, tree: Tree, node: ast.AST, depth: int = _DEPTH) -> set[str]:
    """Every text and attribute of the expression, and of functions and classes that it names: a column that is none of these is not asked for by name."""
    found = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    found |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    for name in sorted(free_names(node)) if depth else ():
        known = namespace.find(name, tree.number)
        lambda_bound = known is not None and isinstance(getattr(known.node, "value", None), ast.Lambda)
        if known is not None and (lambda_bound or isinstance(known.node, (ast.FunctionDef, ast.ClassDef))):
            found |= columns_named(namespace, known.tree, known.node, depth - 1)
    return found
