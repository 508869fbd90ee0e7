"""The address of a node: its preorder index in a cell's tree, the same in the kernel and in the planner, whose Python may be another.

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
        children = [c for c in ast.iter_child_nodes(node) if not isinstance(c, _UNNUMBERED) and not _empty(node, c)]
        stack.extend(reversed(children))


def number(tree: ast.AST) -> dict[ast.AST, int]:
    """Map each node of `tree` to its preorder index."""
    return {node: index for index, node in enumerate(preorder(tree))}


def digest(tree: ast.AST) -> str:
    """Return a digest of what `tree` says, equal for equal code wherever it stands and whichever Python has read it."""
    return hashlib.sha256(_told(tree).encode()).hexdigest()[:24]


def _empty(parent: ast.AST, node: object) -> bool:
    """Whether a node is a part of an f-string that holds nothing: the first releases of Python 3.12 end a nested format with one."""
    return isinstance(parent, ast.JoinedStr) and isinstance(node, ast.Constant) and node.value == ""


def _told(node: object) -> str:
    """A text of the tree, like ``ast.dump`` but alike in all versions of Python.

    Fields that hold nothing are left out: 3.12 added ``type_params``, and later ones need not give every field. Constants are in ASCII:
    which characters ``repr`` escapes depends on the version's Unicode, and it refuses long integers.
    """
    if isinstance(node, ast.AST):
        fields = ((name, _known(node, name)) for name in node._fields if name != "kind")
        return f"{type(node).__name__}({','.join(f'{n}={_told(v)}' for n, v in fields if v is not None and v != [])})"
    if isinstance(node, list):
        return f"[{','.join(map(_told, node))}]"
    return hex(node) if type(node) is int else ascii(node)


def _known(node: ast.AST, name: str) -> object:
    value = getattr(node, name, None)
    return [part for part in value if not _empty(node, part)] if isinstance(value, list) else value
