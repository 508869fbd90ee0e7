"""Quick fixes: for some problems, the change that mends them, as the cell's whole new source or its new tags.

A fix is offered only where it is sure to do what its label says; the user looks at the cell and can undo it.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from nb2prod.diagnostics import Diagnostic
from nb2prod.notebook import ROLES, Cell, Notebook
from nb2prod.server import code_fixes

_IGNORE = re.compile(r"#\s*nb2prod:\s*ignore\[([^\]]*)\]")


@dataclass(frozen=True)
class Fix:
    """A change of one cell. Of `source` and `tags` one is None: it stays."""

    label: str
    cell: int
    source: str | None = None
    tags: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """As the browser gets it."""
        return asdict(self)


def fixes(item: Diagnostic, notebook: Notebook) -> tuple[Fix, ...]:
    """The changes that mend this problem, the best first; none where only its author can tell."""
    return tuple(_found(item, notebook))


def _found(item: Diagnostic, notebook: Notebook) -> Iterator[Fix]:
    if item.code in ("N1", "N2"):
        yield from _misspelt_tags(notebook)
        return
    if item.cell is None or item.line is None:
        return
    cell = notebook.cell(item.cell)
    if item.code == "T4":
        yield from _with_random_state(item, cell)
    if item.code == "F16":
        yield from _assigned(item, cell)
    for change in code_fixes.changes(item, cell, notebook):
        yield from _checked(Fix(change.label, cell.number, change.source))
    if item.severity == "warning":
        yield from _ignored(item, cell)


def _misspelt_tags(notebook: Notebook) -> Iterator[Fix]:
    for cell in notebook.code_cells:
        for tag in sorted(cell.tags - cell.roles):
            near = difflib.get_close_matches(tag.strip().lower(), ROLES, n=1, cutoff=0.75)
            if near:
                tags = tuple(sorted({*cell.tags - {tag}, near[0]}))
                yield Fix(f"Tag cell {cell.number} '{near[0]}' instead of '{tag}'", cell.number, tags=tags)


def _with_random_state(item: Diagnostic, cell: Cell) -> Iterator[Fix]:
    """Put `random_state=0` into the call that the hint names, if it stands on that line once."""
    named = re.search(r"to (\w+)\(", item.hint)
    calls = [
        node
        for statement in cell.statements
        for node in ast.walk(statement.node)
        if isinstance(node, ast.Call) and node.lineno == item.line and named and _name(node) == named.group(1)
    ]
    if len(calls) != 1 or cell.magic:
        return
    call = calls[0]
    lines = cell.source.split("\n")
    row, column = (call.end_lineno or call.lineno) - 1, (call.end_col_offset or 0) - 1
    # Offsets count bytes.
    before, after = lines[row].encode()[:column].decode(), lines[row].encode()[column:].decode()
    if not after.startswith(")"):
        return
    text = "\n".join([*lines[:row], before]).rstrip()
    comma = (
        "" if text.endswith(("(", ",")) and (not before or before[-1] in " (") else " " if text.endswith(",") else ", "
    )
    lines[row] = f"{before}{comma}random_state=0{after}"
    yield from _checked(Fix("Add random_state=0", cell.number, "\n".join(lines)))


def _assigned(item: Diagnostic, cell: Cell) -> Iterator[Fix]:
    """The line that the hint shows in place of a statement that has this line to itself."""
    shown = [line[4:] for line in item.hint.splitlines() if line.startswith("    ")]
    alone = [s for s in cell.statements if s.line == s.end_line == item.line]
    lines = cell.source.split("\n")
    if len(shown) != 1 or len(alone) != 1 or item.line is None or "#" in lines[item.line - 1]:
        return
    lines[item.line - 1] = shown[0]
    yield from _checked(Fix("Assign the result", cell.number, "\n".join(lines)))


def _ignored(item: Diagnostic, cell: Cell) -> Iterator[Fix]:
    """A comment on the line that says: seen, and meant so."""
    lines = cell.source.split("\n")
    index = (item.line or 1) - 1
    if index >= len(lines) or lines[index].rstrip().endswith("\\"):
        return
    there = _IGNORE.search(lines[index])
    if there:
        codes = f"{there.group(1)}, {item.code}"
        lines[index] = lines[index][: there.start()] + f"# nb2prod: ignore[{codes}]" + lines[index][there.end() :]
    else:
        lines[index] = f"{lines[index].rstrip()}  # nb2prod: ignore[{item.code}]"
    source = "\n".join(lines)
    if cell.magic is None and not _same_code(source, cell.source):
        return  # the line ends inside a text
    yield Fix(f"Ignore {item.code} on this line", cell.number, source)


def _checked(fix: Fix) -> Iterator[Fix]:
    try:
        ast.parse(fix.source or "")
    except SyntaxError:
        return
    yield fix


def _same_code(one: str, other: str) -> bool:
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except SyntaxError:
        return False


def _name(call: ast.Call) -> str | None:
    function = call.func
    return (
        function.id
        if isinstance(function, ast.Name)
        else function.attr
        if isinstance(function, ast.Attribute)
        else None
    )
