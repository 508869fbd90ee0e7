"""Calls of the notebook written otherwise: by way of a rule, without an argument, with all rows in place of a choice."""

from __future__ import annotations

import ast

from nb2prod.path.edits import Render


def asked_text(render: Render, node: ast.Call) -> str:
    """The call by way of the rule that knows what no rows give."""
    # The rows come first, named or not.
    return f"rules.asked({call_text(render, node, unnamed=int(not node.args))})"


def call_text(render: Render, node: ast.Call, unnamed: int = 0) -> str:
    """Function and arguments of a call as arguments of another; the first `unnamed` keywords go without their names."""
    values = [*node.args, *(k.value for k in node.keywords[:unnamed])]
    named = [f"{k.arg}={render(k.value)}" if k.arg else f"**{render(k.value)}" for k in node.keywords[unnamed:]]
    return ", ".join([render(node.func), *map(render, values), *named])


def without_index(render: Render, node: ast.Call) -> str:
    """The call without its labels."""
    parts = [render(a) for a in node.args]
    parts += [
        f"{k.arg}={render(k.value)}" if k.arg else f"**{render(k.value)}" for k in node.keywords if k.arg != "index"
    ]
    return f"{render(node.func)}({', '.join(parts)})"


def all_rows_text(render: Render, node: ast.AST) -> str:
    """The expression with all rows in place of the chosen ones."""
    if isinstance(node, ast.Subscript):
        if isinstance(node.slice, ast.Tuple):
            rest = ", ".join(render(e) for e in node.slice.elts[1:])
            return f"{render(node.value)}[rules.every, {rest}]"
        return f"{render(node.value)}[rules.every]"
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Attribute)
    return render(node.func.value)
