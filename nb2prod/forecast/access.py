"""Attributes and subscripts: which column, which rows, which handle `df.loc[mask, "x"]` gives."""

from __future__ import annotations

import ast

from nb2prod.forecast import results, table
from nb2prod.forecast.literals import at_position, column_names, strings
from nb2prod.forecast.scope import Scope
from nb2prod.forecast.values import PER_ROW, PLAIN, Kind, Site, Value


class Access(Scope):
    """Evaluates attributes and subscripts; `value` is the subclass's."""

    def __init__(self) -> None:
        super().__init__()
        self.parents: dict[ast.AST, ast.AST] = {}

    def value(self, node: ast.AST | None) -> Value:
        """The abstract value of an expression."""
        raise NotImplementedError

    def know_parents(self, tree: ast.AST) -> None:
        """Remember what stands around each expression of this tree."""
        for parent in ast.walk(tree):
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent

    def joined(self, parts: list[Value]) -> Value:
        return results.from_origins(self._joined_kind(parts), parts)

    def _joined_kind(self, parts: list[Value]) -> Value:
        traits = results.traits_of(parts)
        columns = frozenset[str]().union(*(part.columns for part in parts))
        for kind in (Kind.FRAME, Kind.SERIES, Kind.INDEX, Kind.ARRAY, Kind.HANDLE, Kind.ROW, Kind.ENTRY):
            if any(part.kind is kind for part in parts):
                return Value(Kind.SERIES if kind is Kind.HANDLE else kind, traits=traits, columns=columns)
        if any(part.kind is Kind.CONTAINER and part.carries for part in parts):
            return Value(Kind.CONTAINER, traits=traits, columns=columns)
        if any(part.kind is Kind.AGGREGATE for part in parts):
            return Value(Kind.AGGREGATE, traits=traits)
        kept = frozenset({"set", "of_test", "random", "clock"})
        return Value(Kind.VALUE, traits=traits | (frozenset().union(*(part.traits for part in parts)) & kept))

    def _attribute(self, node: ast.Attribute) -> Value:
        base = self.value(node.value)
        return results.from_origins(self._attribute_of(node, base, node.attr), (base,))

    def _attribute_of(self, node: ast.Attribute, base: Value, name: str) -> Value:
        if base.kind in (Kind.MODULE, Kind.CLASS, Kind.FUNCTION) and base.node is None:
            path = f"{base.path}.{name}"
            kind = Kind.CLASS if name[:1].isupper() else Kind.FUNCTION
            return Value(Kind.MODULE if base.kind is Kind.MODULE and name.islower() else kind, path=path)
        if base.kind in PER_ROW:
            if base.kind is Kind.ROW:
                self.reads_column(name, node)
            return Value(Kind.ENTRY)
        if base.kind is Kind.AGGREGATE:
            return base
        if base.carries:
            return self._attribute_of_rows(node, base, name)
        kind = Kind.ESTIMATOR if base.kind is Kind.ESTIMATOR and name.endswith(("estimator_", "steps")) else Kind.VALUE
        return Value(kind, traits=base.traits & {"random", "clock", "set", "of_test"}, path=base.path)

    def _attribute_of_rows(self, node: ast.Attribute, base: Value, name: str) -> Value:
        if base.path == "bunch":
            return self._of_bunch(base, name)
        if name in table.HANDLE_ATTRIBUTES:
            return Value(Kind.HANDLE, base.objects, base.traits, path=name, columns=base.columns, node=base.node)
        if name in table.VALUE_ATTRIBUTES:
            return self.noted(node, name, base, PLAIN)
        if name == "index":
            return self.noted(node, name, base, results.rows(Kind.INDEX, base.traits))
        if base.kind is Kind.HANDLE and base.path in ("groupby", "window"):
            if self._is_column(node):
                self.reads_column(name, node)
            return Value(Kind.HANDLE, base.objects, base.traits, path=base.path, columns=frozenset({name}))
        if base.kind is Kind.HANDLE:
            result = results.rows(Kind.SERIES, base.traits, base.columns)
            return self.noted(node, name, base, result) if name == "codes" else result
        if name in ("values", "T"):
            return results.rows(Kind.ARRAY, base.traits, base.columns)
        if base.kind is Kind.FRAME and self._is_column(node):
            self.reads_column(name, node)
            return results.rows(Kind.SERIES, base.traits, frozenset({name}))
        return results.rows(base.kind, base.traits, base.columns)

    def _of_bunch(self, base: Value, name: str) -> Value:
        if name in ("feature_names", "target_names", "DESCR", "filename"):
            return PLAIN
        kind = Kind.SERIES if name == "target" else Kind.FRAME
        return results.rows(kind, base.traits | {"raw"}, frozenset({"target"} if name == "target" else ()))

    def _is_column(self, node: ast.Attribute) -> bool:
        """`df.Age`, as opposed to the method of `df.mean()`."""
        parent = self.parents.get(node)
        return not (isinstance(parent, ast.Call) and parent.func is node)

    def reads_column(self, name: object, node: ast.AST) -> None:
        """Note that the unit reads this column."""
        if self.unit is not None and isinstance(name, str):
            self.unit.columns_read.append((name, getattr(node, "lineno", 0)))

    def _subscript(self, node: ast.Subscript) -> Value:
        base = self.value(node.value)
        key = self.value(node.slice)
        return self.subscripted(node, base, key)

    def subscripted(self, node: ast.Subscript, base: Value, key: Value) -> Value:
        """The value of `base[key]`, its column reads noted."""
        return results.from_origins(self._subscripted(node, base, key), (base,))

    def _subscripted(self, node: ast.Subscript, base: Value, key: Value) -> Value:
        names = column_names(node.slice, key) or self._added_names(node.slice)
        if base.kind is Kind.ROW or (base.kind is Kind.ENTRY and names):
            for name in names:
                self.reads_column(name, node)
            return Value(Kind.ENTRY)
        if base.kind is Kind.AGGREGATE:
            return base
        if base.kind is Kind.CONTAINER:
            return self._of_container(node, base)
        if not base.carries:
            return Value(
                Kind.ENTRY if key.kind in PER_ROW else base.kind if base.kind is Kind.ESTIMATOR else Kind.VALUE,
                traits=base.traits & {"random", "clock", "set", "of_test", "predicted"},
            )
        return self._of_rows(node, base, key, names)

    def _added_names(self, node: ast.expr) -> tuple[str, ...]:
        """The names in `df[numbers + ["origin"]]`, as far as they are literal."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return (*self._added_names(node.left), *self._added_names(node.right))
        if isinstance(node, ast.Name):
            held = self.names.get(node.id, PLAIN).node
            return tuple(strings(held)) if isinstance(held, ast.List) else ()
        return tuple(strings(node)) if isinstance(node, ast.List) else ()

    def _of_rows(self, node: ast.Subscript, base: Value, key: Value, names: tuple[str, ...]) -> Value:
        located = base.kind is Kind.HANDLE and base.path in ("loc", "iloc", "at", "iat")
        if base.kind in (Kind.FRAME, Kind.HANDLE) or located:
            for name in names:
                self.reads_column(name, node)
        if base.kind is Kind.INDEX or base.kind is Kind.ENTRY:
            return Value(Kind.INDEX if key.carries else Kind.VALUE)
        selects = key.carries and not names
        if located and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            selects = self._tuple_selects(node.slice)
        kind = base.kind
        if kind is Kind.HANDLE:
            kind = Kind.FRAME if base.path in ("loc", "iloc") else kind
        if names and not key.carries:
            single = len(names) == 1 and not isinstance(node.slice, ast.List) and key.items is None
            kind = base.kind if base.path in ("groupby", "window") else Kind.SERIES if single else Kind.FRAME
        elif kind is Kind.FRAME and isinstance(node.slice, ast.Name) and key.kind is Kind.VALUE and key.items is None:
            kind = Kind.SERIES
        path = base.path if base.path in ("groupby", "window") else ""
        columns = frozenset(names) or base.columns
        if located and isinstance(node.slice, ast.Tuple):
            columns = at_position(node.slice, base.node) or columns
        order = node.slice if kind is Kind.FRAME and isinstance(node.slice, ast.List) else None
        result = Value(kind, traits=base.traits, path=path, columns=columns, node=order)
        return self.noted(node, "filter", base, result, (key,)) if selects else result

    def _tuple_selects(self, key: ast.Tuple) -> bool:
        first = key.elts[0]
        return isinstance(first, (ast.Compare, ast.UnaryOp, ast.BinOp, ast.BoolOp))

    def _of_container(self, node: ast.Subscript, base: Value) -> Value:
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if base.path == "bunch" and isinstance(index, str):
            return self._of_bunch(base, index)
        if base.items and isinstance(index, int) and -len(base.items) <= index < len(base.items):
            return base.items[index]
        return results.rows(Kind.FRAME if base.path == "dict" else Kind.ARRAY, base.traits, base.columns)

    def noted(self, node: ast.expr, name: str, base: Value, result: Value, args: tuple[Value, ...] = ()) -> Value:
        if self.unit is not None and self.cell is not None:
            self.unit.sites.append(Site(self.cell, node, name, "", base, args, {}, result, self.parents.get(node)))
        return result
