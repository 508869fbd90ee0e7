"""The address of a node: its preorder index in a cell's tree, the same in the kernel and in the planner.

Line and column would not do: the parts of an f-string share positions on Python 3.11.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator

HOOK = "__nb2prod__"
"""The one name that the recorder adds to ``builtins``."""

_UNNUMBERED = (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)


def preorder(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of `tree` in preorder, without the shared context and operator singletons."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        children = [c for c in ast.iter_child_nodes(node) if not isinstance(c, _UNNUMBERED)]
        stack.extend(reversed(children))


def number(tree: ast.AST) -> dict[ast.AST, int]:
    """Map each node of `tree` to its preorder index."""
    return {node: index for index, node in enumerate(preorder(tree))}


def digest(tree: ast.AST) -> str:
    """Return a digest of what `tree` says, equal for equal code wherever it stands."""
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:24]
