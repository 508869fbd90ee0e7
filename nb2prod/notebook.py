"""A notebook as nb2prod sees it: cells with their tags, and the Python statements in them.

The only module that knows nbformat. Reading a notebook of today needs no nbformat at all (its import takes
seconds); an older format is upgraded in memory, the file stays as it is.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import InputError, Refused
from nb2prod.notebook_source import (
    EVERY_CODE,
    CompiledSource,
    Statement,
    SyntaxProblem,
    compiled,
    ignore_comments,
    parse,
    transformed,
)

__all__ = [
    "ROLES",
    "Cell",
    "CompiledSource",
    "Notebook",
    "Statement",
    "SyntaxProblem",
    "compiled_sources",
    "load",
    "loads",
    "problems",
    "python_source",
    "read",
]

ROLES = ("feature", "train", "predict", "parameters", "data", "fallback")
"""The tags that mean something here; all others are left alone."""


@dataclass(frozen=True)
class Cell:
    """One cell. `number` counts all cells from 1, `index` from 0."""

    number: int
    index: int
    id: str | None
    kind: Literal["code", "markdown", "raw"]
    source: str
    tags: frozenset[str] = frozenset()
    statements: tuple[Statement, ...] = ()
    magic: str | None = None
    """Name of the cell magic (`time` for `%%time`), if the cell begins with one."""
    problem: SyntaxProblem | None = None
    ignored: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Line -> codes named by a `# nb2prod: ignore[...]` comment on it; `*` stands for every code."""

    @property
    def roles(self) -> frozenset[str]:
        """The tags that nb2prod knows."""
        return self.tags.intersection(ROLES)

    def text_of(self, line: int | None) -> str:
        """The source line, or an empty string if there is none."""
        lines = self.source.splitlines()
        return lines[line - 1] if line is not None and 0 < line <= len(lines) else ""

    def ignores(self, code: str, line: int | None) -> bool:
        """Whether a comment on the line, or within the simple statement around it, suppresses this code."""
        if line is None or not self.ignored:
            return False
        first, last = _span(self, line)
        named = frozenset().union(*(self.ignored.get(n, frozenset()) for n in range(first, last + 1)))
        return code in named or bool(EVERY_CODE & named)


@dataclass(frozen=True)
class Notebook:
    """A notebook that was read. `path` is absolute, `name` the file's name, `kernel` the kernelspec's name."""

    path: Path
    name: str
    cells: tuple[Cell, ...]
    kernel: str
    language: str
    text: str = field(repr=False, compare=False)
    """The file as read."""

    @cached_property
    def node(self) -> Any:
        """The notebook as an nbformat node of format 4 (imports nbformat, which takes a while)."""
        import nbformat

        return nbformat.reads(self.text, as_version=4)  # type: ignore[no-untyped-call]

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    def with_role(self, role: str) -> tuple[Cell, ...]:
        """The code cells that carry this tag, in order."""
        return tuple(cell for cell in self.code_cells if role in cell.tags)

    def cell(self, number: int) -> Cell:
        """The cell with this number, counted from 1."""
        return self.cells[number - 1]


def read(path: Path | str) -> Notebook:
    """The notebook at `path`, fit to be built.

    Raises `InputError` if it can't be read or is no notebook; `Refused` with N1, N2, N3 or N8 if it has no
    tags, no predict cell, a syntax error in a tagged cell, or a kernel that isn't Python.
    """
    notebook = load(path)
    found = problems(notebook)
    if found:
        raise Refused(found)
    return notebook


def load(path: Path | str) -> Notebook:
    """The notebook at `path` whatever its tags; `InputError` if it can't be read or is no notebook."""
    path = Path(path)
    return loads(_read_text(path), path)


def loads(text: str, path: Path) -> Notebook:
    """The notebook of this JSON text, as an editor holds it before it is saved to `path`; raises as `load`."""
    document = _document(text, path)
    metadata = _mapping(document.get("metadata"))
    kernelspec = _mapping(metadata.get("kernelspec"))
    kernel = str(kernelspec.get("name") or "python3")
    cells = tuple(_cell(raw, index) for index, raw in enumerate(document["cells"]))
    return Notebook(path.absolute(), path.name, cells, kernel, _language(metadata, kernelspec), text)


def problems(notebook: Notebook) -> tuple[Diagnostic, ...]:
    """What keeps this notebook from being built, as far as reading it tells: N8, N1, N2, N3."""
    if notebook.language != "python":
        return (
            Diagnostic(
                "N8",
                "error",
                f"{notebook.name} runs on the kernel {notebook.kernel!r} ({notebook.language}); "
                "nb2prod serves Python notebooks.",
                "Choose a Python kernel in Jupyter (Kernel > Change Kernel), save the notebook and try again.",
            ),
        )
    found = [*_tag_problems(notebook)]
    for cell in notebook.code_cells:
        if cell.problem and cell.roles:
            tags = ", ".join(sorted(cell.roles))
            line = cell.problem.line
            found.append(
                Diagnostic(
                    "N3",
                    "error",
                    f"This cell is tagged {tags} but is not valid Python: {cell.problem.message}.",
                    "Correct the line, run the cell in Jupyter once, save, and try again.",
                    cell.number,
                    line,
                    cell.text_of(line),
                )
            )
    return tuple(found)


def python_source(cell: Cell) -> str:
    """The cell's source as IPython compiles it: `TransformerManager().transform_cell(source)`."""
    return transformed(cell.source)


def compiled_sources(cell: Cell) -> tuple[CompiledSource, ...]:
    """Every text that the kernel compiles when it runs the cell: the cell, then the body of `%%time` and its like."""
    return tuple(compiled(cell.source)[0])


def _tag_problems(notebook: Notebook) -> Iterator[Diagnostic]:
    if notebook.with_role("predict"):
        return
    slips = [
        f"cell {cell.number} has the tag {tag!r}: did you mean {near!r}?"
        for cell in notebook.code_cells
        for tag in sorted(cell.tags - cell.roles)
        if (near := _near_role(tag))
    ]
    misplaced = [
        f"cell {cell.number} has the tag 'predict' but is a {cell.kind} cell."
        for cell in notebook.cells
        if cell.kind != "code" and "predict" in cell.tags
    ]
    also = "".join(f"\n{text[0].upper()}{text[1:]}" for text in [*slips, *misplaced])
    if any(cell.roles - {"parameters"} for cell in notebook.code_cells):
        yield Diagnostic(
            "N2",
            "error",
            f"{notebook.name} has tagged cells, but none is tagged 'predict': nothing says what to serve.",
            "Add the tag 'predict' to the cell that computes the predictions, for example:\n"
            f"    y_pred = model.predict(X_test){also}",
        )
        return
    yield Diagnostic(
        "N1",
        "error",
        f"{notebook.name} has no tagged cells: nb2prod can't tell features, training and prediction apart.",
        "In JupyterLab, open the Property Inspector (the gears at the top right), select a cell and add one of the "
        "cell tags 'feature', 'train', 'predict'.\n"
        f"Only 'predict' must be there. To have tags proposed: nb2prod suggest {notebook.name}{also}",
        panel_hint="Select a cell and press Feature, Train or Predict at the top of the panel, or have tags suggested. "
        f"Only Predict must be there.{also}",
    )


def _near_role(tag: str) -> str | None:
    import difflib

    near = difflib.get_close_matches(tag.strip().lower(), ROLES, n=1, cutoff=0.75)
    return near[0] if near else None


def _read_text(path: Path) -> str:
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a notebook", "Name the .ipynb file in it.")
    if not path.exists():
        others = sorted(item.name for item in path.parent.glob("*.ipynb")) if path.parent.is_dir() else []
        where = f"{path.parent.absolute()} has: {', '.join(others[:8])}." if others else ""
        raise InputError(f"{path}: no such file", where or "Check the path and the current folder.")
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a notebook: it is not a UTF-8 text file", "Name an .ipynb file.") from error
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}", "Check its permissions.") from error


def _document(text: str, path: Path) -> dict[str, Any]:
    """The notebook's JSON in format 4."""
    try:
        document = json.loads(text)
    except ValueError as error:
        empty = "the file is empty" if not text.strip() else f"it is not JSON ({error})"
        raise InputError(
            f"{path} is not a notebook: {empty}",
            "Name a notebook that Jupyter saved (.ipynb). If this should be one, restore it from a checkpoint.",
        ) from error
    if isinstance(document, dict) and isinstance(document.get("nbformat"), int):
        if document["nbformat"] > 4:
            raise InputError(
                f"{path} has notebook format {document['nbformat']}; formats up to 4 are known",
                "Save it from a current JupyterLab, or update nb2prod.",
            )
        if document["nbformat"] < 4:
            document = _upgraded(text, path)
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise InputError(f"{path} is not a notebook: its JSON has no list of cells", "Name an .ipynb file.")
    for index, cell in enumerate(document["cells"]):
        if not isinstance(cell, dict) or "cell_type" not in cell:
            raise InputError(
                f"{path} is not a valid notebook: cell {index + 1} has no cell_type",
                "Open it in JupyterLab and save it again.",
            )
    return document


def _upgraded(text: str, path: Path) -> dict[str, Any]:
    import nbformat

    try:
        node = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:  # nbformat's converters raise whatever a malformed old file makes them
        raise InputError(
            f"{path} is in an old notebook format that can't be upgraded: {error}",
            "Open it in JupyterLab and save it again.",
        ) from error
    upgraded: dict[str, Any] = json.loads(json.dumps(node))
    return upgraded


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _language(metadata: Mapping[str, Any], kernelspec: Mapping[str, Any]) -> str:
    told = kernelspec.get("language") or _mapping(metadata.get("language_info")).get("name")
    if told:
        language = str(told).lower()
        return "python" if language in ("python", "ipython", "python3") else language
    return "r" if kernelspec.get("name") == "ir" else "python"


def _cell(raw: Mapping[str, Any], index: int) -> Cell:
    source = raw.get("source", "")
    source = "".join(source) if isinstance(source, list) else str(source)
    tags = _mapping(raw.get("metadata")).get("tags") or ()
    names = frozenset([tags] if isinstance(tags, str) else map(str, tags))
    kind: Literal["code", "markdown", "raw"] = "raw"
    if raw["cell_type"] in ("code", "markdown"):
        kind = raw["cell_type"]
    identifier = raw.get("id") if isinstance(raw.get("id"), str) else None
    if kind != "code":
        return Cell(index + 1, index, identifier, kind, source, names)
    statements, magic, problem = parse(source)
    return Cell(index + 1, index, identifier, kind, source, names, statements, magic, problem, ignore_comments(source))


def _span(cell: Cell, line: int) -> tuple[int, int]:
    """First and last line of the innermost simple statement (or a compound one's header) at this line."""
    best = (line, line)
    for statement in cell.statements:
        if not statement.line <= line <= statement.end_line:
            continue
        for node in ast.walk(statement.node):
            if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
                body = getattr(node, "body", None)
                last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
                if line <= last:
                    best = (node.lineno, last)
    return best
