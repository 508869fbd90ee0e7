"""Which names a piece of code takes from outside, and where the notebook defines them."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass

from nb2prod.recording.trace import Recording, Tree

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Defined:
    """Where the notebook defines a name: an import (as the statement to write), a function, a class, or an assignment."""

    name: str
    tree: Tree
    node: ast.stmt
    text: str | None = None


def bound_names(node: ast.AST) -> set[str]:
    """Every name that a piece of code binds somewhere inside: assignments, arguments, imports, definitions."""
    found: set[str] = set()
    for item in ast.walk(node):
        if isinstance(item, ast.Name) and isinstance(item.ctx, (ast.Store, ast.Del)):
            found.add(item.id)
        elif isinstance(item, ast.arg):
            found.add(item.arg)
        elif isinstance(item, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) and item is not node:
            found.add(item.name)
        elif isinstance(item, (ast.Import, ast.ImportFrom)):
            found.update((a.asname or a.name).split(".")[0] for a in item.names)
        elif isinstance(item, ast.ExceptHandler) and item.name:
            found.add(item.name)
    return found


def global_names(node: ast.AST) -> set[str]:
    """The names that the code says to be the notebook's own (``global df``)."""
    return {n for item in ast.walk(node) if isinstance(item, ast.Global) for n in item.names}


def free_names(node: ast.AST) -> set[str]:
    """Names that the code reads and does not bind itself; builtins left out."""
    bound = bound_names(node)
    declared = global_names(node)
    read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return {n for n in read if (n not in bound or n in declared) and not hasattr(builtins, n)}


def local_names(function: ast.FunctionDef) -> set[str]:
    """The function's own variables, parameters included."""
    declared = {n for item in ast.walk(function) if isinstance(item, (ast.Global, ast.Nonlocal)) for n in item.names}
    return bound_names(function) - declared


def parameters(function: ast.FunctionDef | ast.Lambda) -> set[str]:
    """The names of a function's parameters."""
    args = function.args
    named = [*args.posonlyargs, *args.args, *args.kwonlyargs, *(a for a in (args.vararg, args.kwarg) if a)]
    return {a.arg for a in named}


def bound_around(tree: Tree, node: ast.AST, name: str) -> bool:
    """Tell whether a lambda or comprehension around the node binds the name."""
    current = node
    while current in tree.parents:
        current = tree.parents[current]
        if isinstance(current, ast.stmt):
            return False
        if isinstance(current, ast.Lambda) and name in parameters(current):
            return True
        if isinstance(current, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)) and any(
            isinstance(n, ast.Name) and n.id == name for g in current.generators for n in ast.walk(g.target)
        ):
            return True
    return False


def binds_name(node: ast.stmt, name: str) -> bool:
    """Tell whether a simple statement assigns the name."""
    if isinstance(node, ast.Assign):
        roots: list[ast.expr] = list(node.targets)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        roots = [node.target]
    else:
        return False
    return any(
        isinstance(n, ast.Name) and n.id == name
        for r in roots
        for n in ast.walk(r)
        if isinstance(getattr(n, "ctx", None), ast.Store)
    )


def binds_in_target(loop: ast.stmt, name: str) -> bool:
    """Tell whether a loop's variable has this name."""
    return isinstance(loop, ast.For) and any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(loop.target))


def changes_in_place(function: ast.FunctionDef, name: str) -> bool:
    """Tell whether the function changes a local in place: a method called for its effect, an item or attribute set."""
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
        ):
            if _base_name(node.value.func.value) == name:
                return True
        elif (isinstance(node, ast.AugAssign) and _base_name(node.target) == name) or (
            isinstance(node, (ast.Assign, ast.Delete))
            and any(isinstance(t, (ast.Subscript, ast.Attribute)) and _base_name(t) == name for t in node.targets)
        ):
            return True
    return False


def inner_definitions(definition: ast.stmt) -> list[ast.stmt]:
    """The functions and classes that a function defines for itself."""
    body: list[ast.stmt] = getattr(definition, "body", [])
    return [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


def calls_of(function: ast.FunctionDef, name: str) -> set[str]:
    """The methods of a local that the function calls."""
    return {
        node.func.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == name
    }


def _base_name(node: ast.AST) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


class Namespace:
    """The notebook's definitions by name; where a name is defined several times, the last one before the asking tree counts."""

    def __init__(self, recording: Recording) -> None:
        self._found: dict[str, list[Defined]] = {}
        self._stars: list[str] = []
        for tree in recording.trees:
            for node in _outer_statements(tree.tree):
                if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
                    self._stars.append("." * node.level + (node.module or ""))
                for item in _definitions(tree, node):
                    self._found.setdefault(item.name, []).append(item)

    def from_star(self, name: str, module: str, qualname: str | None) -> str | None:
        """The import statement for a name that ``from module import *`` brought; `module` and `qualname` say what it is in the kernel."""
        if not self._stars:
            return None
        if qualname is None:
            return f"import {module}" if module == name else f"import {module} as {name}"
        public = next((s for s in self._stars if module == s or module.startswith(f"{s}.")), module)
        return f"from {public} import {qualname}" + ("" if qualname == name else f" as {name}")

    def find(self, name: str, before: int | None = None) -> Defined | None:
        """The definition of `name` in force in tree `before` (the last of all by default)."""
        found = self._found.get(name, [])
        early = [d for d in found if before is None or d.tree.number <= before]
        return early[-1] if early else (found[0] if found else None)


def _outer_statements(tree: ast.Module) -> list[ast.stmt]:
    out: list[ast.stmt] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop(0)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                out.append(child)
                if not isinstance(child, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
                    stack.append(child)
            elif isinstance(child, ast.ExceptHandler):
                stack.append(child)
    return out


def _definitions(tree: Tree, node: ast.stmt) -> list[Defined]:
    if isinstance(node, ast.Import):
        return [
            Defined(
                (a.asname or a.name).split(".")[0],
                tree,
                node,
                f"import {a.name}" + (f" as {a.asname}" if a.asname else ""),
            )
            for a in node.names
        ]
    if isinstance(node, ast.ImportFrom):
        prefix = "." * node.level + (node.module or "")
        return [
            Defined(
                a.asname or a.name,
                tree,
                node,
                f"from {prefix} import {a.name}" + (f" as {a.asname}" if a.asname else ""),
            )
            for a in node.names
            if a.name != "*"
        ]
    if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        return [Defined(node.name, tree, node)]
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return [Defined(node.targets[0].id, tree, node)]
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], (ast.Tuple, ast.List)):
        return [Defined(part.id, tree, node) for part in node.targets[0].elts if isinstance(part, ast.Name)]
    return []
