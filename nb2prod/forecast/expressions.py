"""Walks through expressions: the kind of each, the names and columns read, the calls made."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from nb2prod.forecast import results, table
from nb2prod.forecast.scope import Scope
from nb2prod.forecast.values import PER_ROW, PLAIN, Flow, Kind, Site, Value

_AT_NAME = re.compile(r"@([A-Za-z_]\w*)")
_CALLBACKS = frozenset({"apply", "map", "applymap", "transform", "agg", "aggregate", "pipe", "assign", "filter"})
_DEPTH = 5


class Expressions(Scope):
    """Evaluates expressions abstractly. Statements of called functions are run by `run_body` of the subclass."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._parents: dict[ast.AST, ast.AST] = {}

    def run_body(self, body: list[ast.stmt]) -> list[Value]:
        """The values that the function body returns."""
        raise NotImplementedError

    def value(self, node: ast.AST | None) -> Value:
        """The abstract value of an expression."""
        if node is None:
            return PLAIN
        handler = getattr(self, f"_{type(node).__name__.lower()}", None)
        found: Value = handler(node) if handler is not None else self._merged(node)
        return found

    def _merged(self, node: ast.AST) -> Value:
        """Operators, comparisons and the like: rows if any part has them."""
        return self._joined([self.value(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)])

    def _joined(self, parts: list[Value]) -> Value:
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
        return replace(self._joined(list(items)), items=items, node=node, traits=traits | results.traits_of(items))

    _list = _tuple
    _set = _tuple

    def _dict(self, node: ast.Dict) -> Value:
        items = [self.value(item) for item in (*node.keys, *node.values) if item is not None]
        if any(item.carries for item in items):
            return Value(Kind.CONTAINER, traits=results.traits_of(items), path="dict")
        return replace(self._joined(items), node=node)

    def _ifexp(self, node: ast.IfExp) -> Value:
        self.value(node.test)
        return self._joined([self.value(node.body), self.value(node.orelse)])

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
            return replace(carrying[0], objects=value.objects, traits=value.traits), False
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
            return self._site(node, name, base, PLAIN)
        if name == "index":
            return self._site(node, name, base, results.rows(Kind.INDEX, base.traits))
        if base.kind is Kind.HANDLE and base.path in ("groupby", "window"):
            if self._is_column(node):
                self.reads_column(name, node)
            return Value(Kind.HANDLE, base.objects, base.traits, path=base.path, columns=frozenset({name}))
        if base.kind is Kind.HANDLE:
            result = results.rows(Kind.SERIES, base.traits, base.columns)
            return self._site(node, name, base, result) if name == "codes" else result
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
        parent = self._parents.get(node)
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
        names = _column_names(node.slice, key) or self._added_names(node.slice)
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
            return tuple(_strings(held)) if isinstance(held, ast.List) else ()
        return tuple(_strings(node)) if isinstance(node, ast.List) else ()

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
            columns = _at_position(node.slice, base.node) or columns
        order = node.slice if kind is Kind.FRAME and isinstance(node.slice, ast.List) else None
        result = Value(kind, traits=base.traits, path=path, columns=columns, node=order)
        return self._site(node, "filter", base, result, (key,)) if selects else result

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

    def _site(self, node: ast.expr, name: str, base: Value, result: Value, args: tuple[Value, ...] = ()) -> Value:
        if self.unit is not None and self.cell is not None:
            self.unit.sites.append(Site(self.cell, node, name, "", base, args, {}, result, self._parents.get(node)))
        return result

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
        site = Site(cell, node, name, module, receiver, args, keywords, PLAIN, self._parents.get(node))
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
        in_place = any(item.arg == "inplace" and _is_true(item.value) for item in node.keywords)
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
            self.unit.columns_dropped.update(c for item in [*node.args[:1], *by_name] for c in _strings(item))
        elif name in ("groupby", "sort_values", "set_index", "get_dummies", "merge"):
            for item in [*node.args, *(k.value for k in node.keywords if k.arg in ("by", "on", "keys", "left_on"))]:
                for column in _strings(item):
                    self.reads_column(column, node)
        elif name == "rename":
            self._renamed(node)
        elif name == "assign":
            self.unit.columns_written.extend((k.arg, node.lineno) for k in node.keywords if k.arg)
        elif name == "insert" and len(node.args) > 1:
            self.unit.columns_written.extend((c, node.lineno) for c in _strings(node.args[1]))

    def _renamed(self, node: ast.Call) -> None:
        assert self.unit is not None
        given = [item.value for item in node.keywords if item.arg in ("columns", "mapper")] or node.args[:1]
        for mapping in given:
            if isinstance(mapping, ast.Dict):
                for old, new in zip(mapping.keys, mapping.values, strict=True):
                    if old is not None:
                        pairs = zip(_strings(old), _strings(new), strict=False)
                        self.unit.columns_renamed.update({after: before for before, after in pairs})

    def _names_in_query(self, node: ast.Call, receiver: Value) -> None:
        """`df.query("age > @limit")` reads the variable `limit`, and the columns that it names."""
        for item in node.args[:1]:
            for text in _strings(item):
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
        if self._depth >= _DEPTH or not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return self._joined(list(args))
        parameters = _bound(function.args, args, keywords)
        self._depth += 1
        try:
            with self.function(parameters, target.home, nested=isinstance(function, ast.Lambda)):
                if isinstance(function, ast.Lambda):
                    self.know_parents(function)
                    return self.value(function.body)
                returned = self.run_body(function.body)
        finally:
            self._depth -= 1
        if len(returned) == 1:
            return returned[0]
        return self._joined(returned) if returned else PLAIN

    def know_parents(self, tree: ast.AST) -> None:
        """Remember what stands around each expression of this tree."""
        for parent in ast.walk(tree):
            for child in ast.iter_child_nodes(parent):
                self._parents[child] = parent


def _bound(parameters: ast.arguments, args: tuple[Value, ...], keywords: dict[str, Value]) -> dict[str, Value]:
    names = [item.arg for item in (*parameters.posonlyargs, *parameters.args)]
    bound = dict.fromkeys([*names, *(item.arg for item in parameters.kwonlyargs)], PLAIN)
    bound.update(zip(names, args, strict=False))
    bound.update({name: value for name, value in keywords.items() if name in bound})
    for extra in (parameters.vararg, parameters.kwarg):
        if extra is not None:
            bound[extra.arg] = PLAIN
    return bound


def _at_position(key: ast.Tuple, order: ast.AST | None) -> frozenset[str]:
    """The column that `iloc[:, 0]` takes of a frame whose columns were listed."""
    names = list(_strings(order)) if order is not None else []
    try:
        position = ast.literal_eval(key.elts[-1])
    except (ValueError, TypeError):
        return frozenset()
    if isinstance(position, int) and -len(names) <= position < len(names):
        return frozenset({names[position]})
    return frozenset()


def _column_names(node: ast.expr, key: Value) -> tuple[str, ...]:
    """The literal column names in a subscript; those of a variable bound to a literal too."""
    if isinstance(node, ast.Tuple) and node.elts:
        return tuple(_strings(node.elts[-1]))
    found = tuple(_strings(node))
    if not found and isinstance(key.node, (ast.List, ast.Constant)):
        found = tuple(_strings(key.node))
    return found


def _strings(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for item in node.elts:
            yield from _strings(item)


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True
