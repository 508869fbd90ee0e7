"""What the forecast knows of a notebook: the kind of each value, and what each statement reads and writes.

Trace  = Block                     the notebook, top to bottom
Block  = (Unit | Compound)*
Unit   = a simple statement: flows (names written <- names read), updates, sites, columns
Compound = header Unit and inner Blocks (if, for, while, with, try)
Site   = one call or attribute that mattered, with the kinds of what went in and came out
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from nb2prod.notebook import Cell


class Kind(Enum):
    """What a value is, as far as its being made of rows goes."""

    FRAME = auto()
    SERIES = auto()
    ARRAY = auto()
    ROW = auto()
    """One row, as a function under `apply(axis=1)` gets it."""
    ENTRY = auto()
    """One entry of a column, as a function under `map` gets it."""
    HANDLE = auto()
    """Belongs to rows and gives rows: `.str`, `.loc`, a group-by, a rolling window."""
    INDEX = auto()
    CONTAINER = auto()
    """A tuple, list or dict with rows in it."""
    AGGREGATE = auto()
    """A table keyed by group, as `groupby().mean()` makes."""
    VALUE = auto()
    ESTIMATOR = auto()
    MODULE = auto()
    FUNCTION = auto()
    CLASS = auto()


ROWS = frozenset({Kind.FRAME, Kind.SERIES, Kind.ARRAY, Kind.INDEX, Kind.HANDLE, Kind.CONTAINER})
"""Kinds with one entry per row: the path is walked back through these."""

PER_ROW = frozenset({Kind.ROW, Kind.ENTRY})


@dataclass(frozen=True)
class Value:
    """An abstract value. `objects` identifies what a change in place would reach."""

    kind: Kind
    objects: frozenset[int] = frozenset()
    traits: frozenset[str] = frozenset()
    path: str = ""
    """Dotted name of a module, function or class; the class of an estimator; the name of a handle."""
    items: tuple[Value, ...] | None = None
    node: ast.AST | None = field(default=None, compare=False, repr=False)
    """Definition of a local function, lambda or class; the literal that a plain value was bound to."""
    home: Cell | None = field(default=None, compare=False, repr=False)
    """The cell of that definition."""
    columns: frozenset[str] = frozenset()
    """The columns that it was taken from, where they are named."""
    origins: frozenset[int] = frozenset()
    """The loads (numbered) that its rows come from."""

    @property
    def carries(self) -> bool:
        """Whether it has an entry per row."""
        if self.kind is Kind.CONTAINER:
            return not self.items or any(item.carries for item in self.items)
        return self.kind in ROWS

    @property
    def from_rows(self) -> bool:
        """Whether it has rows, or is a part of one row."""
        return self.carries or self.kind in PER_ROW

    def has(self, trait: str) -> bool:
        """Whether it carries this trait."""
        return trait in self.traits


PLAIN = Value(Kind.VALUE)


@dataclass(frozen=True)
class Site:
    """A call (or a telling attribute) that the trace went through."""

    cell: Cell
    node: ast.expr
    name: str
    module: str
    """Dotted module of a function, `builtins`, or an empty string for a method."""
    receiver: Value | None
    args: tuple[Value, ...]
    keywords: Mapping[str, Value]
    result: Value
    parent: ast.AST | None = None
    """The expression around it."""

    @property
    def line(self) -> int:
        """Line in the cell, where the method's name stands."""
        if isinstance(self.node, ast.Call) and isinstance(self.node.func, ast.Attribute):
            return self.node.func.end_lineno or self.node.lineno
        return self.node.lineno

    @property
    def inputs(self) -> tuple[Value, ...]:
        """Receiver and arguments."""
        receiver = () if self.receiver is None else (self.receiver,)
        return (*receiver, *self.args, *self.keywords.values())

    def literal(self, keyword: str, position: int | None = None) -> object:
        """The argument if it is a literal; `Ellipsis` if given otherwise; None if not given."""
        node = self.argument(keyword, position)
        if node is None:
            return None
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError):
            return ...

    def argument(self, keyword: str, position: int | None = None) -> ast.expr | None:
        """The expression given for an argument."""
        if not isinstance(self.node, ast.Call):
            return None
        for item in self.node.keywords:
            if item.arg == keyword:
                return item.value
        if position is not None and len(self.node.args) > position:
            return self.node.args[position]
        return None


@dataclass(frozen=True)
class Read:
    """A name that was read, with what it held."""

    name: str
    value: Value
    line: int
    cell: Cell
    lookup: bool = False
    """Read as another table to look things up in: its rows are not the rows predicted."""


@dataclass(frozen=True)
class Flow:
    """Names that get their value from these reads. `strong`: what they held before is gone."""

    names: tuple[str, ...]
    reads: tuple[Read, ...]
    strong: bool = True
    expression: ast.expr | None = field(default=None, compare=False, repr=False)
    """The one side of `a, b = x, y` that it is about; None for the whole statement."""


@dataclass(eq=False)
class Unit:
    """A simple statement, or the header of a compound one."""

    cell: Cell
    node: ast.stmt
    flows: list[Flow] = field(default_factory=list)
    updates: set[str] = field(default_factory=set)
    """Names whose value it changes in place."""
    changed_origins: set[int] = field(default_factory=set)
    """The loads that the rows changed in place come from."""
    reads: list[Read] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    columns_read: list[tuple[str, int]] = field(default_factory=list)
    columns_written: list[tuple[str, int]] = field(default_factory=list)
    columns_joined: list[tuple[str, int]] = field(default_factory=list)
    """Columns that come with a joined table."""
    columns_renamed: dict[str, str] = field(default_factory=dict)
    """New name -> old name."""
    columns_dropped: set[str] = field(default_factory=set)
    results: dict[str, Value] = field(default_factory=dict)
    """What the names hold after it."""
    shown: Value | None = None
    """Value of an expression statement."""

    @property
    def line(self) -> int:
        """First line in the cell."""
        return self.node.lineno

    @property
    def end_line(self) -> int:
        """Last line in the cell; of a compound statement, of its header."""
        body = getattr(self.node, "body", None)
        if isinstance(body, list) and body:
            return max(self.node.lineno, int(body[0].lineno) - 1)
        return self.node.end_lineno or self.node.lineno

    @property
    def source(self) -> str:
        """The statement's own lines."""
        return "\n".join(self.cell.source.splitlines()[self.line - 1 : self.end_line])

    @property
    def defines(self) -> frozenset[str]:
        """Names that it binds anew."""
        return frozenset(name for flow in self.flows for name in flow.names if flow.strong)


@dataclass(eq=False)
class Compound:
    """A statement with statements in it."""

    header: Unit
    blocks: list[Block]
    loop: bool = False
    exhaustive: bool = False
    """Exactly one of the blocks runs (`if` with `else`, `with`)."""


Block = list["Unit | Compound"]


def units(block: Block) -> Iterator[Unit]:
    """All units of the block, in the order of the source."""
    for item in block:
        if isinstance(item, Unit):
            yield item
        else:
            yield item.header
            for inner in item.blocks:
                yield from units(inner)
