"""The recorder's trace as data: what ran, what it read and bound, where rows became something else.

Addresses: a statement or expression is `(tree, node)`: the number of the tree that the kernel compiled, and the node's preorder index in it.
"""

from __future__ import annotations

import ast
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nb2prod.notebook import Cell, Notebook
from nb2prod.recording.kernel.numbering import preorder
from nb2prod.recording.states import Seen, State
from nb2prod.recording.training import Training


@dataclass(frozen=True)
class Place:
    """One loop that a step ran in: the loop's statement, which run of it, which iteration, what its plain variables held."""

    k: int
    instance: int
    iteration: int
    keys: dict[str, Any]


class _Carrying:
    """A name with rows (`token`) or with a container of rows (`tokens`)."""

    token: int | None
    tokens: tuple[int, ...]

    @property
    def carried(self) -> set[int]:
        """The tokens of the rows that it stands for: its own, or those in a container."""
        return {self.token} if self.token is not None else set(self.tokens)


@dataclass(frozen=True)
class Read(_Carrying):
    """One name that a step read. `kind`: rows, container, value, module, function, class, import or iterator."""

    node: int
    name: str
    kind: str
    token: int | None = None
    lineage: int | None = None
    tokens: tuple[int, ...] = ()
    snapshot: int | None = None
    module: str | None = None
    qualname: str | None = None
    state: int | None = None
    """Of a function or class: the state in which it was."""
    asked: bool = False
    """Of a table with a snapshot: a lambda that ran asked it by its name."""


@dataclass(frozen=True)
class Bind(_Carrying):
    """One name that a step bound to rows (`token`) or to a container of rows (`tokens`)."""

    name: str
    token: int | None
    lineage: int | None
    tokens: tuple[int, ...] = ()

    def gives(self, name: str, tokens: set[int]) -> bool:
        """Whether this binds the name to some of these rows."""
        return self.name == name and (self.token in tokens or bool(tokens & set(self.tokens)))


@dataclass(frozen=True)
class Step:
    """One execution of a statement that touched rows. `kind`: step, header (of a loop or branch) or iteration."""

    seq: int
    k: int
    frame: int
    kind: str
    loops: tuple[Place, ...]
    reads: tuple[Read, ...]
    binds: tuple[Bind, ...]
    updates: frozenset[int]
    events: tuple[dict[str, Any], ...]
    result: tuple[int | None, int | None] | None = None
    asides: tuple[Step, ...] = ()
    """What it did in lambdas of other cells, as steps of the statements that these stand in."""
    names: Mapping[str, Seen] = field(default_factory=dict)
    """Of a loop that filled something: what it read of the notebook by name, as it was then."""

    def event(self, kind: str) -> dict[str, Any] | None:
        """The last event of this kind, if any."""
        found = [e for e in self.events if e["kind"] == kind]
        return found[-1] if found else None


@dataclass(frozen=True)
class FrameInfo:
    """One call of one of the notebook's functions that was followed."""

    frame: int
    k: int
    parent: int | None
    node: int | None
    keys: dict[str, Any]
    rows: dict[str, int]
    loops: tuple[Place, ...]
    outer: int
    name: str
    asks: bool = False
    """Called with no rows, for each of them say; followed for what it asks of a table by its name."""


@dataclass(frozen=True)
class Table:
    """A table that came in: where its rows are kept, and the variable that first held it."""

    number: int
    path: Path
    rows: int
    columns: tuple[str, ...]
    form: str
    name: str | None
    target: str | None
    named: bool


@dataclass(frozen=True)
class StatementInfo:
    """A statement that was instrumented."""

    tree: int
    node: int
    kind: str
    depth: int
    function: int | None


@dataclass(frozen=True)
class Tree:
    """A tree that the kernel compiled, with the cell and the text that it came from."""

    number: int
    cell: Cell | None
    text: str
    offset: int
    tree: ast.Module

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """The nodes by preorder index."""
        return list(preorder(self.tree))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """Each node's parent."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def index(self) -> dict[ast.AST, int]:
        """Each node's preorder index."""
        return {node: i for i, node in enumerate(self.nodes)}

    def line(self, node: ast.AST) -> int:
        """The node's line in its cell as the user sees it."""
        return int(getattr(node, "lineno", 1)) + self.offset

    def place(self, node: ast.AST) -> tuple[int | None, int, str]:
        """The number of the node's cell, its line there and the line's text, as a diagnostic tells them."""
        line = self.line(node)
        return (None, line, "") if self.cell is None else (self.cell.number, line, self.cell.text_of(line))


@dataclass(frozen=True)
class Recording:
    """One recorded run. `folder` holds tables and snapshots."""

    folder: Path
    notebook: Notebook
    steps: tuple[Step, ...]
    frames: dict[int, FrameInfo]
    tables: tuple[Table, ...]
    trees: tuple[Tree, ...]
    statements: tuple[StatementInfo, ...]
    snapshots: dict[int, dict[str, Any]]
    fits: tuple[dict[str, Any], ...]
    trainings: tuple[Training, ...]
    problems: tuple[str, ...]
    python: str
    executable: str
    states: dict[int, State] = field(default_factory=dict)
    """The states of the notebook's functions and classes, by number; asked about the end of the run, the kernel adds to them."""
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the notebook had set on its libraries when it predicted: by library, each setting that was not its default."""
    _lineages: dict[int, dict[str, Any]] = field(repr=False, default_factory=dict)

    @cached_property
    def _arrays(self) -> Any:
        return np.load(self.folder / "lineages.npz")

    def rows_of(self, lineage: int, table: int) -> npt.NDArray[np.int64] | None:
        """The row numbers of `table` that the entries of a value with this lineage come from (-1: none); None if it has none at all."""
        info = self._lineages[lineage]
        form = info["tables"].get(str(table))
        if form is None:
            return None
        if form == "range":
            return np.arange(info["n"], dtype="int64")
        array: npt.NDArray[np.int64] = self._arrays[f"{lineage}_{table}"]
        return array

    def tables_of(self, lineage: int) -> tuple[int, ...]:
        """The tables that a lineage names."""
        return tuple(int(t) for t in self._lineages[lineage]["tables"])

    def content(self, snapshot: int | None) -> bytes:
        """A digest of what a snapshot holds; of none, nothing."""
        if snapshot is None:
            return b""
        path = self.folder / "snapshots" / f"{snapshot}.pkl"
        return hashlib.sha256(path.read_bytes() if path.exists() else str(snapshot).encode()).digest()

    def is_single(self, lineage: int) -> bool:
        """Whether a value with this lineage is one row itself, and not a collection of one."""
        return bool(self._lineages[lineage]["single"])

    def length_of(self, lineage: int) -> int:
        """How many entries a value with this lineage has."""
        return int(self._lineages[lineage]["n"])

    @cached_property
    def by_seq(self) -> dict[int, Step]:
        """Steps by sequence number."""
        return {s.seq: s for s in self.steps}

    @cached_property
    def by_frame(self) -> dict[int, list[Step]]:
        """The steps of each frame, in order."""
        out: dict[int, list[Step]] = defaultdict(list)
        for step in self.steps:
            out[step.frame].append(step)
        return out

    @cached_property
    def calls(self) -> dict[int, list[FrameInfo]]:
        """The followed calls that a step made, by the step's sequence number."""
        out: dict[int, list[FrameInfo]] = defaultdict(list)
        for frame in self.frames.values():
            if frame.parent is not None:
                out[frame.parent].append(frame)
        return out

    def statement(self, k: int) -> tuple[Tree, ast.stmt]:
        """The statement numbered `k`, in its tree."""
        info = self.statements[k]
        tree = self.trees[info.tree]
        node = tree.nodes[info.node]
        assert isinstance(node, ast.stmt)
        return tree, node
