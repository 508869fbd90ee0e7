"""What the text of a statement says of it: which names it binds, writes into or appends to."""

from __future__ import annotations

import ast


def written_by(node: ast.stmt) -> tuple[str, ...]:
    """The variables whose values a statement changes by writing items or attributes of them."""
    targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [getattr(node, "target", None)]
    if not isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)):
        return ()
    found = []
    for target in targets:
        for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            inner = part
            while isinstance(inner, (ast.Subscript, ast.Attribute)):
                inner = inner.value
            if inner is not part and isinstance(inner, ast.Name):
                found.append(inner.id)
    return tuple(found)


def column_of(node: ast.stmt) -> tuple[str, str] | None:
    """The variable and the column that a statement writes, where it writes one by its name."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=table), slice=ast.Constant(value=str(column)))]):
            return table, column
        case ast.Assign(
            targets=[
                ast.Subscript(
                    value=ast.Attribute(value=ast.Name(id=table), attr="loc"),
                    slice=ast.Tuple(elts=[_, ast.Constant(value=str(column))]),
                )
            ]
        ):
            return table, column
    return None


def targets_of(node: ast.stmt) -> tuple[str, ...]:
    """Return the plain names that a statement binds by itself, not by what it contains."""
    found: list[str] = []
    roots: list[ast.AST] = []
    if isinstance(node, ast.Assign):
        roots.extend(node.targets)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For)):
        roots.append(node.target)
    elif isinstance(node, ast.With):
        roots.extend(i.optional_vars for i in node.items if i.optional_vars is not None)
    for root in roots:
        found.extend(n.id for n in ast.walk(root) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    if isinstance(node, (ast.Expr, ast.Assign, ast.Return)) and node.value is not None:
        found.extend(
            n.target.id for n in ast.walk(node.value) if isinstance(n, ast.NamedExpr) and isinstance(n.target, ast.Name)
        )
    return tuple(dict.fromkeys(found))


def has_yield(node: ast.AST) -> bool:
    """Tell whether a function's own body yields, which makes it a generator."""
    stack: list[ast.AST] = list(ast.iter_child_nodes(node))
    while stack:
        item = stack.pop()
        if isinstance(item, (ast.Yield, ast.YieldFrom, ast.Await)):
            return True
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(item))
    return False


def items_set_in(loop: ast.For) -> tuple[str, ...]:
    """The variables of which a loop's body sets items, in whichever branch, by a key that the loop's own variable is part of."""
    own = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    found: list[str] = []
    for node in (n for statement in loop.body for n in ast.walk(statement)):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        by_row = any(
            isinstance(target, ast.Subscript)
            and own & {n.id for n in ast.walk(target.slice) if isinstance(n, ast.Name)}
            for target in targets
        )
        found += written_by(node) if by_row and isinstance(node, ast.stmt) else ()
    return tuple(dict.fromkeys(found))


def appended_in(loop: ast.For) -> tuple[str, ...]:
    """The names of lists that a loop's body appends to, once for each iteration or not."""
    found = []
    for node in (n for statement in loop.body for n in ast.walk(statement)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[_]):
                found.append(name)
    return tuple(dict.fromkeys(found))


def split_declarations(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Docstring, ``global`` and ``nonlocal`` must stand once, before the body's two versions."""
    first: list[ast.stmt] = []
    rest = list(body)
    if rest and isinstance(rest[0], ast.Expr) and isinstance(rest[0].value, ast.Constant):
        first.append(rest.pop(0))
    first.extend(s for s in rest if isinstance(s, (ast.Global, ast.Nonlocal)))
    return first, [s for s in rest if not isinstance(s, (ast.Global, ast.Nonlocal))]
