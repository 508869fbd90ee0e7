"""Quick fixes that write code: a call or a line in place of another, as the remedy of the problem shows it."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from nb2prod.diagnostics import Diagnostic
from nb2prod.notebook import Cell, Notebook

_CLOCKS = ("now", "today", "utcnow")
_FILLS = ("ffill", "pad", "interpolate", "fillna", "bfill")


@dataclass(frozen=True)
class CodeChange:
    """What a fix writes: its label, and the cell's whole new source."""

    label: str
    source: str


@dataclass(frozen=True)
class _Edit:
    """A node's text in place of the one it has; lines to be put before its statement; a module that the cell must import."""

    label: str
    node: ast.expr
    text: str
    before: str = ""
    needs: str = ""
    """An import statement, as `import numpy as np`."""


def changes(item: Diagnostic, cell: Cell, notebook: Notebook) -> Iterator[CodeChange]:
    """The change of the cell that mends this problem, where exactly one place of its line is meant."""
    if item.code == "P3":
        yield from _sorted_names(item, cell)
    find = _FINDERS.get(item.code)
    if find is None or cell.magic or item.line is None:
        return
    found = [
        (statement, edit)
        for statement in cell.statements
        if statement.line <= item.line <= statement.end_line
        for node in ast.walk(statement.node)
        if isinstance(node, ast.expr) and node.lineno <= item.line <= (node.end_lineno or node.lineno)
        for edit in find(node, item)
    ]
    if len(found) == 1:
        statement, edit = found[0]
        source = _written(edit, statement.line, cell, notebook)
        if source is not None:
            yield CodeChange(edit.label, source)


def _sorted_names(item: Diagnostic, cell: Cell) -> Iterator[CodeChange]:
    """P3: the line that sorts the names, as the remedy shows it, before the statement that uses them."""
    shown = [line[4:] for line in item.hint.splitlines() if line.startswith("    ")]
    starts = [s.line for s in cell.statements if item.line is not None and s.line <= item.line <= s.end_line]
    if len(shown) == 1 and len(starts) == 1 and not cell.magic:
        lines = cell.source.split("\n")
        lines.insert(starts[0] - 1, _indent(lines[starts[0] - 1]) + shown[0])
        yield CodeChange("Sort the names once", "\n".join(lines))


def _rank(node: ast.expr, _item: Diagnostic) -> Iterator[_Edit]:
    """F5: the place among training's hundredths instead of the place among the rows of the batch."""
    if not (_is_method(node, ("rank",)) and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return
    settings = {keyword.arg: keyword.value for keyword in node.keywords}
    if node.args or not set(settings) <= {"pct", "method"} or _is_grouped(node.func.value):
        return
    if isinstance(node.func.value, ast.Name):
        return  # it may be the whole table
    column = ast.unparse(node.func.value)
    share = " / 100" if isinstance(pct := settings.get("pct"), ast.Constant) and pct.value is True else ""
    yield _Edit(
        "Compare with training's values",
        node,
        f"np.searchsorted(edges, {column}){share}",
        before=f"edges = np.quantile({column}.dropna(), np.linspace(0, 1, 101))",
        needs="import numpy as np",
    )


def _fill(node: ast.expr, item: Diagnostic) -> Iterator[_Edit]:
    """F6: training's median in the gap instead of the row before."""
    if ".fillna(" not in item.hint or not _is_method(node, _FILLS):
        return
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Attribute)
    if not _is_grouped(node.func.value):
        column = ast.unparse(node.func.value)
        yield _Edit("Fill with training's median", node, f"{column}.fillna({column}.median())")


def _clock_or_hash(node: ast.expr, item: Diagnostic) -> Iterator[_Edit]:
    """F11: the date of today written down; a digest that is the same in every process."""
    if "zlib" in item.hint:
        yield from _digest(node)
    elif _is_method(node, _CLOCKS) and isinstance(node, ast.Call) and not node.args and not node.keywords:
        assert isinstance(node.func, ast.Attribute)
        today = dt.date.today()  # noqa: DTZ011 (the user's own day)
        of = ast.unparse(node.func.value)
        written = (
            f'{of}("{today}")' if of.split(".")[-1] == "Timestamp" else f"{of}({today:%Y}, {today.month}, {today.day})"
        )
        yield _Edit(f"Write the date down: {today}", node, written)


def _digest(node: ast.expr) -> Iterator[_Edit]:
    label, needs = "Use zlib.crc32 instead", "import zlib"
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "hash"
        and len(node.args) == 1
    ):
        yield _Edit(label, node, f"zlib.crc32(str({ast.unparse(node.args[0])}).encode())", needs=needs)
    elif isinstance(node, ast.Call):
        for argument in node.args:
            if isinstance(argument, ast.Name) and argument.id == "hash":
                yield _Edit(label, argument, "lambda value: zlib.crc32(str(value).encode())", needs=needs)


def _mapping(node: ast.expr, _item: Diagnostic) -> Iterator[_Edit]:
    """F17: an answer for what the mapping does not know, of the kind of those that it has."""
    if not (
        _is_method(node, ("map",)) and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Dict)
    ):
        return
    values = [value.value if isinstance(value, ast.Constant) else None for value in node.args[0].values]
    if values and all(isinstance(value, str) for value in values):
        other = '"other"'
    elif values and all(isinstance(value, bool) for value in values):
        other = "False"
    else:
        other = "-1"
    yield _Edit(f"Give unseen values {other}", node, f"{ast.unparse(node)}.fillna({other})")


_FINDERS: Mapping[str, Callable[[ast.expr, Diagnostic], Iterator[_Edit]]] = {
    "F5": _rank,
    "F6": _fill,
    "F11": _clock_or_hash,
    "F17": _mapping,
}


def _written(edit: _Edit, first_line: int, cell: Cell, notebook: Notebook) -> str | None:
    """The cell's source after the edit; None where that can't be told or is no Python."""
    lines = cell.source.split("\n")
    node = edit.node
    if node.end_lineno is None or node.end_col_offset is None:
        return None
    text = edit.text
    if isinstance(node, ast.Call) and text.startswith(kept := ast.unparse(node)):
        # What is only added to stays as its author wrote it.
        text = _segment(lines, node) + text[len(kept) :]
    # Offsets count bytes.
    head = lines[node.lineno - 1].encode()[: node.col_offset].decode()
    tail = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode()
    lines[node.lineno - 1 : node.end_lineno] = [f"{head}{text}{tail}"]
    if edit.before:
        lines.insert(first_line - 1, _indent(lines[first_line - 1]) + edit.before)
    if edit.needs and not _imports(edit.needs, cell, notebook):
        lines.insert(0, edit.needs)
    source = "\n".join(lines)
    try:
        ast.parse(source)
    except SyntaxError:
        return None
    return source


def _segment(lines: list[str], node: ast.expr) -> str:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    if node.lineno == node.end_lineno:
        return lines[node.lineno - 1].encode()[node.col_offset : node.end_col_offset].decode()
    first = lines[node.lineno - 1].encode()[node.col_offset :].decode()
    last = lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode()
    return "\n".join([first, *lines[node.lineno : node.end_lineno - 1], last])


def _imports(needed: str, cell: Cell, notebook: Notebook) -> bool:
    """Whether this very import stands in this cell or one before it."""
    wanted = ast.dump(ast.parse(needed).body[0])
    return any(
        ast.dump(ast.Import([alias])) == wanted
        for other in notebook.code_cells
        if other.number <= cell.number
        for statement in other.statements
        if isinstance(statement.node, ast.Import)
        for alias in statement.node.names
    )


def _is_method(node: ast.expr, names: tuple[str, ...]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names


def _is_grouped(node: ast.expr) -> bool:
    """Whether it is computed by groups: then the whole column's value is another thing."""
    return any(isinstance(inner, ast.Attribute) and inner.attr == "groupby" for inner in ast.walk(node))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
