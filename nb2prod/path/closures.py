"""Functions of the notebook that read its tables by name, and not as arguments: they are served inside the function that has the table."""

from __future__ import annotations

import ast
import re
import textwrap

from nb2prod.path.scopes import bound_names, free_names


def variables(body: list[str]) -> set[str]:
    """What the statements of a function's body bind."""
    return bound_names(_function(body).body[0])


def readers_of(definitions: dict[str, str], names: set[str]) -> dict[str, str]:
    """The definitions (source by name) that read one of these variables, themselves or through another of them; in their order."""
    free = {name: free_names(ast.parse(text)) for name, text in definitions.items()}
    found = {name for name, read in free.items() if read & (names - definitions.keys())}
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


def nested(definitions: dict[str, str]) -> list[str]:
    """The definitions as the first lines of that function's body."""
    # What was a global of the notebook is a variable of the function around it.
    lines = [line for text in definitions.values() for line in [*text.split("\n"), ""]]
    return [re.sub(r"^(\s*)global\b", r"\1nonlocal", line) for line in lines]


def _function(body: list[str]) -> ast.Module:
    return ast.parse("def f():\n" + textwrap.indent("\n".join(body) or "pass", "    "))


def _read(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
