"""The Python in a cell's source: what IPython makes of it, its statements, its `# nb2prod: ignore` comments."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

EVERY_CODE = frozenset({"*"})
"""What a bare `# nb2prod: ignore` names."""

_PYTHON_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "lprun"})
_PYTHON_LINE_MAGICS = frozenset({"time", "timeit", "prun", "memit"})
_IGNORE = re.compile(r"#\s*nb2prod:\s*ignore(?:\[([^\]]*)\])?", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """One top-level statement of a cell. Lines count from 1 in the cell as the user sees it."""

    line: int
    end_line: int
    source: str
    node: ast.stmt = field(compare=False, repr=False)


@dataclass(frozen=True)
class CompiledSource:
    """Python that IPython compiles for a cell; its line n is the cell's line n + `offset`."""

    text: str
    offset: int


@dataclass(frozen=True)
class SyntaxProblem:
    """Why a cell is not Python: the message and its line in the cell."""

    message: str
    line: int


def ignore_comments(source: str) -> dict[int, frozenset[str]]:
    """Line -> the codes that a `# nb2prod: ignore[F14]` on it names; `EVERY_CODE` for a bare one."""
    found = {}
    for number, line in enumerate(source.splitlines(), start=1):
        match = _IGNORE.search(line)
        if match:
            codes = frozenset(re.findall(r"[A-Z]\d+", (match.group(1) or "").upper()))
            found[number] = codes or (EVERY_CODE if match.group(1) is None else frozenset())
    return found


def transformed(source: str) -> str:
    """What IPython compiles for this source; the source itself where IPython finds its magics malformed."""
    first = source.lstrip("\r\n")
    # IPython's import takes a quarter of a second: a cell that is plain Python goes without. The exceptions are
    # what parses as Python and is still changed by IPython: an indented first line, pasted prompts.
    if not first.startswith((" ", "\t", "In [", "...")):
        try:
            ast.parse(first)
        except (SyntaxError, ValueError):
            pass
        else:
            lines = source.splitlines(keepends=True)
            while lines and not lines[0].strip():
                del lines[0]
            text = "".join(lines)
            return text if text.endswith("\n") else f"{text}\n"
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        changed: str = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
    except SyntaxError:
        return source
    return changed


def compiled(source: str) -> tuple[list[CompiledSource], str | None]:
    """What IPython compiles for this source, outermost first, and the name of its cell magic."""
    lines = source.splitlines()
    dropped = _leading_blanks(lines)
    outer = CompiledSource(transformed(source), dropped)
    magic = re.match(r"%%(\w[\w.]*)", lines[dropped]) if dropped < len(lines) else None
    if magic is None:
        return [outer], None
    if magic.group(1) not in _PYTHON_CELL_MAGICS:
        return [outer], magic.group(1)
    rest = lines[dropped + 1 :]
    body = CompiledSource(transformed("\n".join(rest)), dropped + 1 + _leading_blanks(rest))
    return [outer, body], magic.group(1)


def _leading_blanks(lines: list[str]) -> int:
    return next((n for n, line in enumerate(lines) if line.strip()), len(lines))


def parse(source: str) -> tuple[tuple[Statement, ...], str | None, SyntaxProblem | None]:
    """The cell's statements (those inside `%%time` and its like too), its cell magic, or why it isn't Python."""
    sources, magic = compiled(source)
    if magic is not None and len(sources) == 1:
        return (), magic, None
    statements, problem = _statements(sources[-1], source.splitlines())
    return statements, magic, problem


def _statements(code: CompiledSource, lines: list[str]) -> tuple[tuple[Statement, ...], SyntaxProblem | None]:
    offset = code.offset
    try:
        tree = ast.parse(code.text)
    except SyntaxError as error:
        line = min(max((error.lineno or 1) + offset, 1), max(len(lines), 1))
        return (), SyntaxProblem(error.msg or "invalid syntax", line)
    except ValueError as error:
        return (), SyntaxProblem(str(error), 1)
    if offset:  # it visits every node
        ast.increment_lineno(tree, offset)
    body = [_unwrapped(node) for node in tree.body]
    return tuple(_statement(node, lines) for node in body), None


def _statement(node: ast.stmt, lines: list[str]) -> Statement:
    first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
    last = node.end_lineno or node.lineno
    return Statement(first, last, "\n".join(lines[first - 1 : last]), node)


def _unwrapped(node: ast.stmt) -> ast.stmt:
    """`%time x = f()` as the statement `x = f()` that it runs; any other statement as it is."""
    match node:
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(attr="run_line_magic"),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(code))],
            )
        ) if name in _PYTHON_LINE_MAGICS:
            try:
                inner = ast.parse(code).body
            except SyntaxError:
                return node
            if len(inner) == 1:
                return ast.increment_lineno(inner[0], node.lineno - 1)
    return node
