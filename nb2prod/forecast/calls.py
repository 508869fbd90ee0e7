"""Calls: of methods, of library functions by the role table, of the notebook's own functions by walking through them."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from nb2prod.forecast import results, table
from nb2prod.forecast.access import Access
from nb2prod.forecast.literals import bound, is_true, strings
from nb2prod.forecast.values import PLAIN, Kind, Site, Value

_AT_NAME = re.compile(r"@([A-Za-z_]\w*)")
_CALLBACKS = frozenset({"apply", "map", "applymap", "transform", "agg", "aggregate", "pipe", "assign", "filter"})
_DEPTH = 6
_BODIES = 300


class Calls(Access):
    """Evaluates calls. Statements of called functions are run by `run_body` of the subclass."""

    def __init__(self) -> None:
        super().__init__()
        self._active: list[ast.AST] = []
        self.walked = 0
        """Function bodies walked through for the statement at hand; `_BODIES` are enough for a forecast."""

    def run_body(self, body: list[ast.stmt]) -> list[Value]:
        """The values that the function body returns."""
        raise NotImplementedError

    def _call(self, node: ast.Call) -> Value:
        receiver: Value | None = None
        target = PLAIN
        if isinstance(node.func, ast.Attribute):
            receiver = self.value(node.func.value)
            if receiver.kind in (Kind.MODULE, Kind.CLASS, Kind.FUNCTION) and receiver.node is None:
                kind = Kind.CLASS if node.func.attr[:1].isupper() else Kind.FUNCTION
                target, receiver = Value(kind, path=f"{receiver.path}.{node.func.attr}"), None
        else:
            target = self.value(node.func)
        args, keywords = self._arguments(node, receiver)
        if receiver is not None:
            return self._method(node, receiver, args, keywords)
        if target.node is not None:
            return self._local(target, args, keywords)
        module, _, name = target.path.rpartition(".")
        return self._function(node, name, module, args, keywords)

    def _arguments(self, node: ast.Call, receiver: Value | None) -> tuple[tuple[Value, ...], dict[str, Value]]:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        joins = name in ("merge", "join", "map", "merge_asof")
        left = receiver
        args: list[Value] = []
        for item in node.args:
            start, columns = self._marks()
            value = self.value(item)
            args.append(value)
            if joins and left is not None:
                self._look_up_in(value, left, start, columns)
            left = left or value
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            start, columns = self._marks()
            value = self.value(keyword.value)
            keywords[keyword.arg or "**"] = value
            if joins and left is not None and keyword.arg in ("right", "other", "arg"):
                self._look_up_in(value, left, start, columns)
        return tuple(args), keywords

    def _marks(self) -> tuple[int, int]:
        return (len(self.unit.reads), len(self.unit.columns_read)) if self.unit else (0, 0)

    def _look_up_in(self, right: Value, left: Value, start: int, columns: int) -> None:
        """A table of other rows, joined to these: the names read for it since `start` are lookups."""
        if self.unit is None or not left.carries or not right.carries or right.origins & left.origins:
            return
        if left.origins and right.origins:
            found = self.unit.reads[start:]
            self.unit.reads[start:] = [replace(read, lookup=True) if read.value.carries else read for read in found]
            # What the other table is asked for comes with it: not a column that a request has to have.
            self.unit.columns_joined += self.unit.columns_read[columns:]
            del self.unit.columns_read[columns:]

    def _function(
        self, node: ast.Call, name: str, module: str, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value:
        for position, item in enumerate(args):
            if item.kind is Kind.FUNCTION and module == "builtins" and position == 0 and len(args) > 1:
                self._called_back(item, [Value(Kind.ENTRY)] * (len(args) - 1) if args[1].carries else [PLAIN])
        return self._recorded(node, name, module, None, args, keywords)

    def _recorded(
        self,
        node: ast.Call,
        name: str,
        module: str,
        receiver: Value | None,
        args: tuple[Value, ...],
        keywords: dict[str, Value],
    ) -> Value:
        cell = self.cell
        assert cell is not None
        site = Site(cell, node, name, module, receiver, args, keywords, PLAIN, self.parents.get(node))
        result = results.result(site)
        if result.has("raw") and not result.origins:
            result = self.fresh(result)
            result = replace(result, origins=result.objects, objects=frozenset())
        if self.unit is not None:
            self.unit.sites.append(replace(site, result=result))
        return result

    def _method(self, node: ast.Call, receiver: Value, args: tuple[Value, ...], keywords: dict[str, Value]) -> Value:
        assert isinstance(node.func, ast.Attribute)
        name = node.func.attr
        if name in _CALLBACKS and receiver.from_rows:
            piped = self._callbacks(node, receiver, args, keywords)
            if piped is not None:
                return piped
        if name in ("query", "eval") and receiver.carries:
            self._names_in_query(node, receiver)
        self._columns_named(node, name, receiver)
        result = self._recorded(node, name, "", receiver, args, keywords)
        in_place = any(item.arg == "inplace" and is_true(item.value) for item in node.keywords)
        changes = table.IN_PLACE_ON_ROWS if receiver.carries else table.IN_PLACE
        if in_place or name in changes:
            self.changed(receiver)
        if name in ("append", "extend", "insert", "add", "update") and receiver.kind is Kind.VALUE:
            given = next((item for item in args if item.carries), None)
            if given is not None:
                self.retype(receiver, Value(Kind.CONTAINER, traits=given.traits, items=(given,)))
        return result

    def _columns_named(self, node: ast.Call, name: str, receiver: Value) -> None:
        """Columns that a frame's method takes by name."""
        if self.unit is None or receiver.kind is not Kind.FRAME:
            return
        if name in ("drop", "pop"):
            by_name = [item.value for item in node.keywords if item.arg in ("columns", "labels")]
            self.unit.columns_dropped.update(c for item in [*node.args[:1], *by_name] for c in strings(item))
        elif name in ("groupby", "sort_values", "set_index", "get_dummies", "merge"):
            for item in [*node.args, *(k.value for k in node.keywords if k.arg in ("by", "on", "keys", "left_on"))]:
                for column in strings(item):
                    self.reads_column(column, node)
        elif name == "rename":
            self._renamed(node)
        elif name == "assign":
            self.unit.columns_written.extend((k.arg, node.lineno) for k in node.keywords if k.arg)
        elif name == "insert" and len(node.args) > 1:
            self.unit.columns_written.extend((c, node.lineno) for c in strings(node.args[1]))

    def _renamed(self, node: ast.Call) -> None:
        assert self.unit is not None
        given = [item.value for item in node.keywords if item.arg in ("columns", "mapper")] or node.args[:1]
        for item in given:
            mapping = self.names.get(item.id, PLAIN).node if isinstance(item, ast.Name) else item
            if isinstance(mapping, ast.Dict):
                for old, new in zip(mapping.keys, mapping.values, strict=True):
                    if old is not None:
                        pairs = zip(strings(old), strings(new), strict=False)
                        self.unit.columns_renamed.update({after: before for before, after in pairs})

    def _names_in_query(self, node: ast.Call, receiver: Value) -> None:
        """`df.query("age > @limit")` reads the variable `limit`, and the columns that it names."""
        for item in node.args[:1]:
            for text in strings(item):
                for name in _AT_NAME.findall(text):
                    self.look_up(name, node)
                for column in re.findall(r"(?<![@\w.'\"])[A-Za-z_]\w*(?![\w(])", text):
                    if column not in ("and", "or", "not", "in", "index") and receiver.kind is Kind.FRAME:
                        self.reads_column(column, node)

    def _callbacks(
        self, node: ast.Call, receiver: Value, args: tuple[Value, ...], keywords: dict[str, Value]
    ) -> Value | None:
        assert isinstance(node.func, ast.Attribute)
        name = node.func.attr
        given = [item for item in (*args, *keywords.values()) if item.kind is Kind.FUNCTION]
        if not given:
            return None
        rowwise = any(k.arg == "axis" and isinstance(k.value, ast.Constant) and k.value.value for k in node.keywords)
        if name == "pipe":
            return self._called_back(given[0], [receiver, *args[1:]])
        if name == "assign":
            parameter = receiver
        elif receiver.kind is Kind.FRAME and name == "apply":
            parameter = Value(Kind.ROW) if rowwise else results.rows(Kind.SERIES, receiver.traits)
        elif receiver.kind is Kind.HANDLE:
            self._discarding_sites(given, results.rows(Kind.SERIES, receiver.traits, receiver.columns))
            return None
        else:
            parameter = Value(Kind.ENTRY)
        for item in given:
            self._called_back(item, [parameter])
        return None

    def _discarding_sites(self, given: list[Value], parameter: Value) -> None:
        """What a function does within a group is kept with the group's table: its calls are no places of their own."""
        sites = list(self.unit.sites) if self.unit else []
        for item in given:
            self._called_back(item, [parameter])
        if self.unit is not None:
            self.unit.sites = sites

    def _called_back(self, function: Value, args: list[Value]) -> Value:
        if function.node is not None:
            return self._applied(function, tuple(args), {})
        module, _, name = function.path.rpartition(".")
        call = ast.copy_location(ast.Call(ast.Name(name, ast.Load()), [], []), self._where())
        return self._recorded(call, name, module, None, tuple(args), {})

    def _where(self) -> ast.AST:
        assert self.unit is not None
        return self.unit.node

    def _local(self, target: Value, args: tuple[Value, ...], keywords: dict[str, Value]) -> Value:
        if isinstance(target.node, ast.ClassDef):
            methods = {item.name for item in target.node.body if isinstance(item, ast.FunctionDef)}
            inherits = any(isinstance(base, (ast.Name, ast.Attribute)) for base in target.node.bases)
            fits = methods & {"fit", "transform", "predict"} or (inherits and not methods)
            return Value(Kind.ESTIMATOR if fits else Kind.VALUE, path=target.node.name, home=target.home)
        result = self._applied(target, args, keywords)
        carries = any(item.carries for item in (*args, *keywords.values()))
        if result.has("predicted") and not carries and isinstance(target.node, ast.FunctionDef):
            result = replace(result, traits=result.traits | {"by_function"}, path=target.node.name)
        return result

    def _applied(self, target: Value, args: tuple[Value, ...], keywords: dict[str, Value]) -> Value:
        function = target.node
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) or function in self._active:
            return self.joined(list(args))
        if len(self._active) >= _DEPTH or self.walked >= _BODIES:
            return self.joined(list(args))
        parameters = bound(function.args, args, keywords)
        self._active.append(function)
        self.walked += 1
        try:
            with self.function(parameters, target.home, nested=isinstance(function, ast.Lambda)):
                if isinstance(function, ast.Lambda):
                    self.know_parents(function)
                    return self.value(function.body)
                returned = self.run_body(function.body)
        finally:
            self._active.pop()
        if len(returned) == 1:
            return returned[0]
        return self.joined(returned) if returned else PLAIN
