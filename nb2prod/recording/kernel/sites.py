"""What is hooked: expressions and statements, by number."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from .definitions import Definition


@dataclass(frozen=True)
class Site:
    """One hooked expression: where it is, what it does, which hooked expressions feed it."""

    tree: int
    node: int
    kind: str
    name: str = ""
    operands: tuple[int, ...] = ()
    call: CallShape | None = None


@dataclass(frozen=True)
class CallShape:
    """How to rebuild a call's arguments from what was logged: each is ('site', id), ('const', value), ('star', id) or ('kwstar', id)."""

    receiver: int | None
    func: int | None
    args: tuple[tuple[str, Any], ...]
    kwargs: tuple[tuple[str, str, Any], ...]


@dataclass(frozen=True)
class Statement:
    """One statement: where it is, what kind, which names it binds, how deep in loops it stands."""

    tree: int
    node: int
    kind: str
    binds: tuple[str, ...]
    depth: int
    function: int | None
    appends: tuple[str, ...] = ()
    """Of a loop: the lists that its body appends to."""
    assigns: tuple[str, ...] = ()
    """Of a loop: the variables of which its body sets items (``df.at[i, "x"] = ...``), in whichever branch."""
    column: tuple[str, str] | None = None
    """Of ``df["x"] = ...`` or ``df.loc[some, "x"] = ...``: the variable and the column."""
    written: tuple[str, ...] = ()
    """The variables into which it writes (``df.loc[some, "x"] = ...``, ``x[0] += 1``, ``del d["a"]``)."""
    value: int | None = None
    """The node of what an assignment assigns."""


@dataclass
class Tables:
    """All sites and statements instrumented so far, by number."""

    sites: list[Site] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    lambdas: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    """Sites of the names that a statement's lambdas and comprehensions take from outside: they may run where nothing is reported, or not at all."""
    inner: set[int] = field(default_factory=set)
    """Sites of names that a lambda takes from outside: it may be called once for each row."""
    functions: dict[str, ast.Lambda | ast.FunctionDef] = field(default_factory=dict)
    """Hooked functions as they were written, by a mark that stands in their code."""
    definitions: dict[int, Definition] = field(default_factory=dict)
    """What the notebook's own statements define, by the statement's number."""
    outside: dict[int, list[str]] = field(default_factory=dict)
    """What loops that fill something read of the notebook's variables, by the statement's number."""
