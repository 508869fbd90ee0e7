"""Functions of the notebook that read its tables by name, and not as arguments: they are served inside the function that has the table."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable

from nb2prod.path.scopes import bound_names, free_names, global_names


def variables(body: list[str]) -> set[str]:
    """What the statements of a function's body bind."""
    return bound_names(_function(body).body[0])


def readers_of(definitions: dict[str, str], names: set[str]) -> dict[str, str]:
    """The definitions (source by name) that read one of these variables or bind a global one, themselves or through another of them; in their order."""
    trees = {name: ast.parse(text) for name, text in definitions.items()}
    free = {name: free_names(tree) for name, tree in trees.items()}
    found = {name for name, read in free.items() if read & (names - definitions.keys()) or global_names(trees[name])}
    while more := {name for name, read in free.items() if read & found} - found:
        found |= more
    return {name: text for name, text in definitions.items() if name in found}


def used(definitions: dict[str, str], body: list[str]) -> dict[str, str]:
    """Those of the definitions that a body needs, themselves or through another of them."""
    wanted = _read(_function(body)) & definitions.keys()
    while more := {n for name in wanted for n in _read(ast.parse(definitions[name])) & definitions.keys()} - wanted:
        wanted |= more
    return {name: text for name, text in definitions.items() if name in wanted}


def asked(definitions: dict[str, str]) -> set[str]:
    """What the definitions read of the function that they are to stand in."""
    return {name for text in definitions.values() for name in free_names(ast.parse(text))} - definitions.keys()


def nested(definitions: dict[str, str], body: list[str], start: Callable[[str], str]) -> list[str]:
    """The definitions as the first lines of that function's body; `start` gives the text of what a global variable holds that they go on from."""
    own = variables(body)
    written: dict[str, str] = {}
    lines = []
    for text in definitions.values():
        tree = ast.parse(text)
        names = sorted(global_names(tree) & bound_names(tree))
        for name in (name for name in names if name not in own):
            written[name] = start(name) if _goes_on_from(tree, name) else written.get(name, "None")
        # What was a global of the notebook is a variable of the function around it.
        outer = rf"\1nonlocal {', '.join(names)}" if names else r"\1pass"
        lines += [re.sub(r"^(\s*)global\b.*", outer, line) for line in text.split("\n")]
        lines.append("")
    return [*(f"{name} = {text}" for name, text in written.items()), *lines]


def _goes_on_from(tree: ast.AST, name: str) -> bool:
    """Whether code reads a variable that it binds too, as a counter does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return True
    return name in _read(tree)


def _function(body: list[str]) -> ast.Module:
    return ast.parse("def f():\n" + textwrap.indent("\n".join(body) or "pass", "    "))


def _read(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
