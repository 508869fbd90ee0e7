"""What can be refused before the notebook is run: parameters that it lacks, and columns that no table of it has."""

from __future__ import annotations

import ast
import bz2
import difflib
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nb2prod.config import Options
from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import InputError, Refused
from nb2prod.notebook import Cell, Notebook

if TYPE_CHECKING:
    from nb2prod.forecast import Forecast

_HEAD = 1 << 20
"""Bytes of a file that are looked at for its header: a block of bzip2 may be nearly as large."""
_UNPACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda head: zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(head, _HEAD),
    ".bz2": lambda head: bz2.BZ2Decompressor().decompress(head, _HEAD),
    ".xz": lambda head: lzma.LZMADecompressor().decompress(head, _HEAD),
}


def check(notebook: Notebook, options: Options, forecast: Forecast | None = None) -> None:
    """Raise what a run would only show later: `InputError` for parameters, `Refused` (N13) for columns.

    Nothing is refused that a run might find: a column counts as missing only where neither the header of the table's
    file nor any line of the notebook mentions it.
    """
    check_parameters(notebook, options)
    if forecast is not None and (options.target or options.fields):
        _check_columns(notebook, options, forecast)


def parameters_cell(notebook: Notebook) -> Cell | None:
    """The cell that papermill takes the defaults of parameters from: the first of that tag."""
    return next(iter(notebook.with_role("parameters")), None)


def parameters(notebook: Notebook) -> dict[str, str]:
    """The names that the parameters cell binds, each with its default's source (empty where it is no plain assignment)."""
    cell = parameters_cell(notebook)
    found: dict[str, str] = {}
    for statement in cell.statements if cell else ():
        node = statement.node
        if isinstance(node, ast.Assign):
            plain = [target.id for target in node.targets if isinstance(target, ast.Name)]
            found.update(dict.fromkeys(plain, ast.unparse(node.value)))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = ast.unparse(node.value)
        bound = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        for name in bound:
            found.setdefault(name, "")
    return found


def check_parameters(notebook: Notebook, options: Options) -> None:
    """Raise `InputError` where a value is given for a parameter that the notebook does not have."""
    if not options.parameters:
        return
    cell = parameters_cell(notebook)
    if cell is None:
        raise InputError(
            f"{notebook.name} has no cell tagged 'parameters', so {_listed(options.parameters)} can't be set",
            "Tag the cell that gives them their values with 'parameters', or leave them out.",
        )
    known = parameters(notebook)
    for name in options.parameters:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            there = f"It has: {', '.join(known)}." if known else "It gives no variable a value."
            raise InputError(
                f"there is no parameter {name!r} in cell {cell.number} of {notebook.name}, which is tagged 'parameters'",
                hint + there,
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _check_columns(notebook: Notebook, options: Options, forecast: Forecast) -> None:
    file = table_file(notebook, forecast)
    header = _header(file) if file is not None else ""
    if file is None or not header:
        return
    said = _folded(header + "".join(cell.source for cell in notebook.code_cells))
    for name in (*options.target, *options.fields):
        if _folded(name) in said:
            continue
        columns = [item.strip().strip("\"'") for item in re.split(r"[,;\t|]", header)]
        near = difflib.get_close_matches(name, columns, n=1, cutoff=0.5)
        raise Refused(
            [
                Diagnostic(
                    "N13",
                    "error",
                    f"{name!r} is not a column of the raw table: neither {file.name} nor the notebook mentions it.",
                    (f"Did you mean {near[0]!r}?\n" if near else "") + f"{file.name} has: {', '.join(columns[:40])}.",
                )
            ]
        )


def table_file(notebook: Notebook, forecast: Forecast) -> Path | None:
    """The file that the statement which makes the raw table names, as far as its literals tell; None where they don't."""
    place = forecast.raw_table
    if place is None:
        return None
    statement = next((s for s in notebook.cell(place.cell).statements if s.line <= place.line <= s.end_line), None)
    if statement is None:
        return None
    root = notebook.path.parent
    everywhere = [text for cell in notebook.code_cells for s in cell.statements for text in _texts(s.node)]
    folders = [root, *(root / text for text in dict.fromkeys(everywhere) if (root / text).is_dir())]
    found = [folder / text for text in _texts(statement.node) for folder in folders if (folder / text).is_file()]
    return found[0] if len({path.resolve() for path in found}) == 1 else None


def _texts(node: ast.AST) -> Iterator[str]:
    """The node's literals that could be the path of a file."""
    for item in ast.walk(node):
        text = item.value if isinstance(item, ast.Constant) else None
        if isinstance(text, str) and 0 < len(text) < 256 and text.isprintable():
            yield text


def _header(file: Path) -> str:
    """The first line of a file of text, compressed or not; empty for any other."""
    try:
        with file.open("rb") as packed:
            head = _UNPACKERS.get(file.suffix.lower(), bytes)(packed.read(_HEAD))
        line = head.splitlines()[0].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, IndexError, lzma.LZMAError, zlib.error):
        return ""
    return line if line.isprintable() or "\t" in line else ""


def _folded(text: str) -> str:
    """Without case and all that renaming columns usually changes."""
    return re.sub(r"[\W_]+", "", text.lower())
