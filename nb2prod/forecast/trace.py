"""Walks through a notebook from top to bottom without running it: definitions, updates and uses of each statement.

A variable keeps what it last held (kills), several names may hold one object (aliases), a local function is walked
through where it is called, so that what it does to its parameters is seen.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from nb2prod.forecast import results
from nb2prod.forecast.expressions import Expressions
from nb2prod.forecast.values import PER_ROW, PLAIN, Block, Compound, Flow, Kind, Read, Unit, Value
from nb2prod.notebook import Cell, Notebook


def trace(notebook: Notebook) -> Block:
    """The notebook's code cells as units and compounds, in order; cells that don't parse are passed over."""
    tracer = Tracer()
    block: Block = []
    for cell in notebook.code_cells:
        block += tracer.run_cell(cell)
    return block


class Tracer(Expressions):
    """Runs statements abstractly."""

    def __init__(self) -> None:
        super().__init__()
        self._returned: list[list[Value]] = []

    def run_cell(self, cell: Cell) -> Block:
        """The statements of one cell."""
        self.cell = cell
        block: Block = []
        for statement in cell.statements:
            self.know_parents(statement.node)
            block.append(self._statement(statement.node))
        return block

    def run_body(self, body: list[ast.stmt]) -> list[Value]:
        """Walk through a function's body on behalf of the unit that calls it."""
        self._returned.append([])
        for node in body:
            self._inner(node)
        return self._returned.pop()

    def _statement(self, node: ast.stmt) -> Unit | Compound:
        assert self.cell is not None
        unit = Unit(self.cell, node)
        self.unit, self.walked = unit, 0
        blocks, loop, exhaustive = self._header(node)
        self._settle(unit)
        if not blocks:
            return unit
        return Compound(unit, [[self._statement(item) for item in body] for body in blocks], loop, exhaustive)

    def _settle(self, unit: Unit) -> None:
        """Names changed in place get what the statement read, and keep what they held."""
        bound = unit.defines
        for name in sorted(unit.updates - bound):
            unit.flows.append(Flow((name,), tuple(unit.reads), strong=False))

    def _inner(self, node: ast.stmt) -> None:
        """A statement inside a function: its effects count for the calling unit."""
        unit = self.unit
        assert unit is not None
        flows = list(unit.flows)
        blocks, _, _ = self._header(node)
        if not self.declared_global:
            unit.flows = flows
        for body in blocks:
            for item in body:
                self._inner(item)

    def _header(self, node: ast.stmt) -> tuple[list[list[ast.stmt]], bool, bool]:
        """Evaluate what belongs to the statement itself; return the bodies inside it, and how they run."""
        match node:
            case ast.If():
                self.value(node.test)
                return [node.body, node.orelse], False, bool(node.orelse)
            case ast.For() | ast.AsyncFor():
                start = len(self._unit.reads)
                item, _ = self.iterated(node.iter)
                self._assign(node.target, item, start)
                return [node.body, node.orelse], True, False
            case ast.While():
                self.value(node.test)
                return [node.body, node.orelse], True, False
            case ast.With() | ast.AsyncWith():
                for context in node.items:
                    value = self.value(context.context_expr)
                    if context.optional_vars is not None:
                        self._assign(context.optional_vars, value, len(self._unit.reads))
                return [node.body], False, True
            case ast.Try():
                return [node.body, *(item.body for item in node.handlers), node.orelse, node.finalbody], False, False
            case ast.Match():
                self.value(node.subject)
                return [item.body for item in node.cases], False, False
            case _:
                self._simple(node)
                return [], False, False

    @property
    def _unit(self) -> Unit:
        assert self.unit is not None
        return self.unit

    def _simple(self, node: ast.stmt) -> None:
        start = len(self._unit.reads)
        match node:
            case ast.Assign():
                self._assignment(node, start)
            case ast.AnnAssign(value=ast.expr() as value):
                self._assign(node.target, self.value(value), start)
            case ast.AnnAssign():
                pass
            case ast.AugAssign():
                self._augmented(node, start)
            case ast.Expr():
                shown = self.value(node.value)
                if not self.locals:
                    self._unit.shown = shown
            case ast.Return():
                returned = self.value(node.value)
                if self._returned:
                    self._returned[-1].append(returned)
            case _:
                self._declaration(node)

    def _declaration(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._define(node.name, Value(Kind.FUNCTION, node=node, home=self.cell))
            case ast.ClassDef():
                self._define(node.name, Value(Kind.CLASS, node=node, home=self.cell))
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.Global() | ast.Nonlocal():
                self.declared_global.update(node.names)
            case ast.Delete():
                self._delete(node)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self.value(child)

    def _define(self, name: str, value: Value) -> None:
        self.bind(name, value)
        self._flow((name,), ())

    def _flow(self, names: tuple[str, ...], reads: tuple[Read, ...], *, strong: bool = True) -> None:
        self._unit.flows.append(Flow(names, reads, strong))

    def _assignment(self, node: ast.Assign, start: int) -> None:
        pairs = _paired(node)
        if pairs is not None:
            # a, b = x, y: each name depends on its own side only.
            values: list[tuple[Value, int, int]] = []
            for _, own in pairs:
                begin = len(self._unit.reads)
                values.append((self.value(own), begin, len(self._unit.reads)))
            for (side, own), (part, begin, end) in zip(pairs, values, strict=True):
                self._assign(side, part, begin, end)
                self._unit.flows[-1:] = [replace(flow, expression=own) for flow in self._unit.flows[-1:]]
            return
        whole = self.value(node.value)
        for target in node.targets:
            if whole.path == "split" and isinstance(target, (ast.Tuple, ast.List)) and whole.items:
                self._assign_split(node.value, target, whole)
            else:
                self._assign(target, whole, start)

    def _assign_split(self, call: ast.expr, target: ast.Tuple | ast.List, value: Value) -> None:
        """Of `a, b, c, d = train_test_split(X, y)`, a and b are made of X alone."""
        args = call.args if isinstance(call, ast.Call) else []
        for position, item in enumerate(target.elts):
            part = self.part(value, position, len(target.elts))
            source = args[position // 2] if position // 2 < len(args) else None
            names = {name.id for name in ast.walk(source) if isinstance(name, ast.Name)} if source else set()
            reads = tuple(read for read in self._unit.reads if read.name in names)
            self.bind_target(item, part)
            self._flow(_names_of(item), reads)

    def _assign(self, target: ast.expr, value: Value, start: int, end: int | None = None) -> None:
        reads = tuple(self._unit.reads[start:end])
        match target:
            case ast.Name():
                self.bind(target.id, value)
                if not self.locals or target.id in self.declared_global:
                    self._flow((target.id,), reads)
            case ast.Tuple() | ast.List():
                self.bind_target(target, value)
                for item in target.elts:
                    if isinstance(item, (ast.Subscript, ast.Attribute)):
                        self._store(item, value, reads)
                if not self.locals:
                    self._flow(_names_of(target), reads)
            case ast.Subscript() | ast.Attribute():
                self._store(target, value, reads)
            case ast.Starred():
                self._assign(target.value, value, start, end)

    def _store(self, target: ast.Subscript | ast.Attribute, value: Value, reads: tuple[Read, ...]) -> None:
        """`df["x"] = ...`, `df.loc[mask, "x"] = ...`, `df.columns = ...`, `d[key] = ...`."""
        base = self.value(target.value)
        if isinstance(target, ast.Subscript):
            key = self.value(target.slice)
            names = _stored_columns(target.slice, key)
            self._unit.columns_written += [(name, target.lineno) for name in names]
            if base.path in ("loc", "iloc", "at", "iat") and key.items:
                for part in key.items[:1]:
                    reads = (*reads, *(read for read in self._unit.reads if part.carries and read not in reads))
        elif base.kind is Kind.FRAME and target.attr not in ("columns", "index"):
            self._unit.columns_written.append((target.attr, target.lineno))
        if base.kind in (Kind.VALUE, Kind.CONTAINER) and value.carries and not base.carries:
            self.retype(base, Value(Kind.CONTAINER, traits=value.traits, items=(value,), path="dict"))
        elif base.carries and value.traits:
            self._taint(base, value)
        if base.kind not in PER_ROW:
            self.changed(base)

    def _taint(self, base: Value, value: Value) -> None:
        """A column made of something random makes the frame no different; one made of predictions does."""
        spread = value.traits & {"predicted"}
        if spread and base.objects:
            for name, held in list(self.names.items()):
                if held.objects & base.objects and held.kind is Kind.FRAME:
                    self.names[name] = replace(held, traits=held.traits | spread)
                    self._unit.results[name] = self.names[name]

    def _augmented(self, node: ast.AugAssign, start: int) -> None:
        value = self.joined([self.value(node.value), self._loaded(node.target)])
        if isinstance(node.target, ast.Name):
            self.changed(self.value(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target)))
        self._assign(node.target, value, start)

    def _loaded(self, target: ast.expr) -> Value:
        """What the target of `+=` holds before."""
        match target:
            case ast.Name():
                return self.value(ast.copy_location(ast.Name(target.id, ast.Load()), target))
            case ast.Subscript():
                return self.subscripted(target, self.value(target.value), self.value(target.slice))
            case _:
                return self.value(target)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for item in node.names:
                path = item.name if item.asname else item.name.split(".", 1)[0]
                self._define(item.asname or path, Value(Kind.MODULE, path=path))
            return
        module = node.module or ""
        for item in node.names:
            if item.name == "*":
                self.star_imports.append(module)
                continue
            kind = Kind.CLASS if item.name[:1].isupper() else Kind.FUNCTION
            kind = Kind.MODULE if item.name in _MODULES else kind
            self._define(item.asname or item.name, Value(kind, path=f"{module}.{item.name}"))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._define(target.id, PLAIN)
            elif isinstance(target, (ast.Subscript, ast.Attribute)):
                base = self.value(target.value)
                if isinstance(target, ast.Subscript):
                    names = _stored_columns(target.slice, self.value(target.slice))
                    self._unit.columns_dropped.update(names)
                self.changed(base)


_MODULES = frozenset(
    {"datetime_module", "pyplot", "preprocessing", "metrics", "datasets", "random", "api", "linear_model"}
)


def _paired(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]] | None:
    target = node.targets[0]
    if len(node.targets) != 1 or not isinstance(target, (ast.Tuple, ast.List)):
        return None
    if not isinstance(node.value, (ast.Tuple, ast.List)) or len(node.value.elts) != len(target.elts):
        return None
    if any(isinstance(item, ast.Starred) for item in (*target.elts, *node.value.elts)):
        return None
    return list(zip(target.elts, node.value.elts, strict=True))


def _names_of(target: ast.expr) -> tuple[str, ...]:
    return tuple(item.id for item in ast.walk(target) if isinstance(item, ast.Name))


def _stored_columns(node: ast.expr, key: Value) -> tuple[str, ...]:
    if isinstance(node, ast.Tuple):
        node = node.elts[-1]
    literal = node if results.is_literal(node) else key.node
    if not results.is_literal(literal):
        return ()
    assert isinstance(literal, ast.expr)
    found = ast.literal_eval(literal)
    items = [found] if isinstance(found, str) else found if isinstance(found, (list, tuple)) else []
    return tuple(item for item in items if isinstance(item, str))
