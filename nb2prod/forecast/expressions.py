"""Walks through expressions: the kind of each, the names and columns read, the calls made."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from nb2prod.forecast import results
from nb2prod.forecast.calls import Calls
from nb2prod.forecast.values import PER_ROW, PLAIN, Flow, Kind, Value


class Expressions(Calls):
    """Evaluates expressions abstractly."""

    def value(self, node: ast.AST | None) -> Value:
        """The abstract value of an expression."""
        if node is None:
            return PLAIN
        handler = getattr(self, f"_{type(node).__name__.lower()}", None)
        found: Value = handler(node) if handler is not None else self._merged(node)
        return found

    def _merged(self, node: ast.AST) -> Value:
        """Operators, comparisons and the like: rows if any part has them."""
        return self.joined([self.value(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])

    def _name(self, node: ast.Name) -> Value:
        return self.look_up(node.id, node)

    def _constant(self, node: ast.Constant) -> Value:
        return Value(Kind.VALUE, node=node)

    def _namedexpr(self, node: ast.NamedExpr) -> Value:
        start = len(self.unit.reads) if self.unit else 0
        value = self.value(node.value)
        self.bind(node.target.id, value)
        if self.unit is not None and not self.locals:
            self.unit.flows.append(Flow((node.target.id,), tuple(self.unit.reads[start:])))
        return value

    def _lambda(self, node: ast.Lambda) -> Value:
        return Value(Kind.FUNCTION, node=node, home=self.cell)

    def _joinedstr(self, node: ast.JoinedStr) -> Value:
        parts = [self.value(item.value) for item in node.values if isinstance(item, ast.FormattedValue)]
        return Value(Kind.ENTRY) if any(item.kind in PER_ROW for item in parts) else PLAIN

    def _starred(self, node: ast.Starred) -> Value:
        return self.value(node.value)

    def _await(self, node: ast.Await) -> Value:
        return self.value(node.value)

    def _tuple(self, node: ast.Tuple | ast.List | ast.Set) -> Value:
        items = tuple(self.value(item) for item in node.elts)
        if any(item.from_rows for item in items):
            kind = Kind.CONTAINER if any(item.carries for item in items) else Kind.ENTRY
            objects = frozenset[int]().union(*(item.objects for item in items))
            return results.from_origins(Value(kind, objects, results.traits_of(items), items=items), ())
        traits = frozenset({"set"}) if isinstance(node, ast.Set) else frozenset[str]()
        return replace(self.joined(list(items)), items=items, node=node, traits=traits | results.traits_of(items))

    _list = _tuple
    _set = _tuple

    def _dict(self, node: ast.Dict) -> Value:
        items = [self.value(item) for item in (*node.keys, *node.values) if item is not None]
        if any(item.carries for item in items):
            return Value(Kind.CONTAINER, traits=results.traits_of(items), path="dict")
        return replace(self.joined(items), node=node)

    def _ifexp(self, node: ast.IfExp) -> Value:
        self.value(node.test)
        return self.joined([self.value(node.body), self.value(node.orelse)])

    def _listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Value:
        with self._comprehension(node.generators) as over_rows:
            element = self.value(node.elt)
        if over_rows and not isinstance(node, ast.SetComp):
            return Value(Kind.CONTAINER, traits=element.traits)
        if element.carries:
            return Value(Kind.CONTAINER, traits=element.traits, items=(element,))
        return Value(Kind.VALUE, traits=element.traits & {"random", "clock", "of_test"})

    _setcomp = _listcomp
    _generatorexp = _listcomp

    def _dictcomp(self, node: ast.DictComp) -> Value:
        with self._comprehension(node.generators):
            self.value(node.key)
            element = self.value(node.value)
        return Value(Kind.CONTAINER, traits=element.traits) if element.carries else PLAIN

    @contextmanager
    def _comprehension(self, generators: list[ast.comprehension]) -> Iterator[bool]:
        with self.function({}, None, nested=True):
            over_rows = False
            for generator in generators:
                item, rows = self.iterated(generator.iter)
                over_rows = over_rows or rows
                self.bind_target(generator.target, item)
                for test in generator.ifs:
                    self.value(test)
            yield over_rows

    def iterated(self, node: ast.expr) -> tuple[Value, bool]:
        """What one step of iterating over this expression gives, and whether each step is a row."""
        value = self.value(node)
        if value.kind in (Kind.SERIES, Kind.ARRAY, Kind.INDEX, Kind.HANDLE) and value.path != "groupby":
            return Value(Kind.ENTRY), True
        if value.kind is Kind.HANDLE:
            return Value(Kind.CONTAINER, items=(PLAIN, results.rows(Kind.FRAME, value.traits))), False
        if value.kind is Kind.CONTAINER and value.carries:
            return self._member(value)
        return Value(Kind.VALUE, traits=value.traits & {"set"}), False

    def _member(self, value: Value) -> tuple[Value, bool]:
        if value.path in ("iterrows", "itertuples", "zip", "enumerate", "tolist", "to_list", "to_records"):
            return Value(Kind.ENTRY, items=(Value(Kind.ENTRY), Value(Kind.ROW))), True
        if value.path in ("items", "iteritems"):
            return Value(Kind.CONTAINER, items=(PLAIN, results.rows(Kind.SERIES, value.traits))), False
        carrying = [item for item in value.items or () if item.carries]
        if carrying:
            # A change of the loop's variable reaches each member: `for df in [train, test]`.
            return replace(carrying[0], objects=value.objects, traits=value.traits, origins=value.origins), False
        return Value(Kind.ENTRY), True

    def bind_target(self, target: ast.expr, value: Value) -> None:
        """Bind the names of a loop's or an assignment's target."""
        if isinstance(target, ast.Name):
            self.bind(target.id, value)
        elif isinstance(target, ast.Starred):
            self.bind_target(target.value, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for position, item in enumerate(target.elts):
                self.bind_target(item, self.part(value, position, len(target.elts)))

    def part(self, value: Value, position: int, count: int) -> Value:
        """The part of a value that unpacking gives to the target at this position."""
        if value.items is not None and len(value.items) == count:
            return value.items[position]
        if value.kind in PER_ROW:
            return Value(Kind.ENTRY)
        if value.carries:
            return results.rows(Kind.ARRAY, value.traits)
        return Value(Kind.VALUE, traits=value.traits, path=value.path)
