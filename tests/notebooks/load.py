"""The small notebooks of this folder: from readable source to `.ipynb`, and what each is expected to give.

A notebook is `sources/NAME.py`. Each cell begins with a marker line; what stands before the first marker
is a comment about the notebook and not part of it:

    # %%                      a code cell without tags
    # %% [feature]            a code cell with one tag
    # %% [train, predict]     a code cell with two tags
    # %% [markdown]           a markdown cell, its lines written as comments

Magics stand as they are, so a source need not be valid Python.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

HERE = Path(__file__).parent
SOURCES = HERE / "sources"
DATA = HERE / "data"
EXPECTED = HERE / "expected.toml"

MARKER = re.compile(r"^# %%[ ]*(?:\[(?P<tags>[^\]]*)\])?[ ]*$")
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}


@dataclass(frozen=True)
class Expected:
    """What one notebook gives; the keys are those of its table in `expected.toml`, explained at its top."""

    name: str
    shape: str
    outcome: str
    prediction: str | None = None
    raw_table: str | None = None
    fields: tuple[str, ...] = ()
    maybe_fields: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    maybe_target: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    predictions: int | None = None
    codes: tuple[str, ...] = ()
    cells: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
    training_only: tuple[str, ...] = ()
    validity: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    notes: str = ""

    def codes_missing(self, found: Iterable[str]) -> tuple[str, ...]:
        """Those of `codes` that are not among the codes found; "F11|N10" is met by either."""
        have = set(found)
        return tuple(code for code in self.codes if have.isdisjoint(code.split("|")))


def split_cells(text: str) -> list[tuple[tuple[str, ...], str]]:
    """The cells of a source: for each its tags and its text, without blank lines at either end."""
    cells: list[tuple[tuple[str, ...], list[str]]] = []
    for line in text.splitlines():
        if marker := MARKER.match(line):
            tags = tuple(tag.strip() for tag in (marker["tags"] or "").split(",") if tag.strip())
            cells.append((tags, []))
        elif cells:
            cells[-1][1].append(line)
    return [(tags, "\n".join(lines).strip("\n")) for tags, lines in cells]


def to_notebook(text: str) -> nbformat.NotebookNode:
    """The notebook that a source describes: kernel python3, no outputs, cell ids by position."""
    cells = []
    for number, (tags, source) in enumerate(split_cells(text), start=1):
        if tags == ("markdown",):
            prose = "\n".join(re.sub(r"^# ?", "", line) for line in source.splitlines())
            cells.append(new_markdown_cell(prose, id=f"cell-{number:02d}"))
        else:
            metadata = {"tags": list(tags)} if tags else {}
            cells.append(new_code_cell(source, id=f"cell-{number:02d}", metadata=metadata))
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})


def expected() -> dict[str, Expected]:
    """What each notebook is expected to give, by name, in the order of `expected.toml`."""
    table = tomllib.loads(EXPECTED.read_text(encoding="utf-8"))
    result = {}
    for name, entry in table.items():
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
        }
        result[name] = Expected(name=name, **values)
    return result


def names() -> tuple[str, ...]:
    """The names of all notebooks that have a source, sorted."""
    return tuple(sorted(path.stem for path in SOURCES.glob("*.py")))


def write(name: str, folder: Path) -> Path:
    """Write `NAME.ipynb`, with the tables and files that it reads, into the folder; return the notebook's path."""
    expectation = expected()[name]
    folder.mkdir(parents=True, exist_ok=True)
    for data in expectation.data:
        shutil.copy2(DATA / data, folder / data)
    for file in expectation.files:
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(HERE / "files" / file, target)
    path = folder / f"{name}.ipynb"
    nbformat.write(to_notebook((SOURCES / f"{name}.py").read_text(encoding="utf-8")), path)
    return path
