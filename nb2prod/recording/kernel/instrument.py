"""Rewrites a cell's tree so that each operation reports its operands and its result to the recorder.

Every operation still runs in the user's own frame, on the user's own objects: the hooks only look at values that pass through them.
That keeps tracebacks, warning locations, ``DataFrame.query("@x")`` and pandas' chained-assignment checks as they are without the recorder.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .definitions import Definition, definition_of
from .numbering import HOOK, number
from .scoping import bound_in, global_reads

N = TypeVar("N", bound=ast.AST)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
OPERATIONS = (ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp, ast.Compare, *COMPREHENSIONS)


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
    assigns: bool = False
    """Of a loop: its body sets items (``df.at[i, "x"] = ...``)."""
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
    functions: dict[str, ast.Lambda | ast.FunctionDef] = field(default_factory=dict)
    """Hooked functions as they were written, by a mark that stands in their code."""
    definitions: dict[int, Definition] = field(default_factory=dict)
    """What the notebook's own statements define, by the statement's number."""
    outside: dict[int, list[str]] = field(default_factory=dict)
    """What loops that fill something read of the notebook's variables, by the statement's number."""


def written_by(node: ast.stmt) -> tuple[str, ...]:
    """The variables whose values a statement changes by writing items or attributes of them."""
    targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [getattr(node, "target", None)]
    if not isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Delete)):
        return ()
    found = []
    for target in targets:
        for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            inner = part
            while isinstance(inner, (ast.Subscript, ast.Attribute)):
                inner = inner.value
            if inner is not part and isinstance(inner, ast.Name):
                found.append(inner.id)
    return tuple(found)


def column_of(node: ast.stmt) -> tuple[str, str] | None:
    """The variable and the column that a statement writes, where it writes one by its name."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=table), slice=ast.Constant(value=str(column)))]):
            return table, column
        case ast.Assign(
            targets=[
                ast.Subscript(
                    value=ast.Attribute(value=ast.Name(id=table), attr="loc"),
                    slice=ast.Tuple(elts=[_, ast.Constant(value=str(column))]),
                )
            ]
        ):
            return table, column
    return None


def targets_of(node: ast.stmt) -> tuple[str, ...]:
    """Return the plain names that a statement binds by itself, not by what it contains."""
    found: list[str] = []
    roots: list[ast.AST] = []
    if isinstance(node, ast.Assign):
        roots.extend(node.targets)
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For)):
        roots.append(node.target)
    elif isinstance(node, ast.With):
        roots.extend(i.optional_vars for i in node.items if i.optional_vars is not None)
    for root in roots:
        found.extend(n.id for n in ast.walk(root) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    if isinstance(node, (ast.Expr, ast.Assign, ast.Return)) and node.value is not None:
        found.extend(
            n.target.id for n in ast.walk(node.value) if isinstance(n, ast.NamedExpr) and isinstance(n.target, ast.Name)
        )
    return tuple(dict.fromkeys(found))


def has_yield(node: ast.AST) -> bool:
    """Tell whether a function's own body yields, which makes it a generator."""
    stack: list[ast.AST] = list(ast.iter_child_nodes(node))
    while stack:
        item = stack.pop()
        if isinstance(item, (ast.Yield, ast.YieldFrom, ast.Await)):
            return True
        if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(item))
    return False


def sets_items(loop: ast.For) -> bool:
    """Whether a loop's body sets items of something, by a key that the loop's own variable is part of."""
    own = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    for node in (n for statement in loop.body for n in ast.walk(statement)):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Subscript) and own & {
                n.id for n in ast.walk(target.slice) if isinstance(n, ast.Name)
            }:
                return True
    return False


def appended_in(loop: ast.For) -> tuple[str, ...]:
    """The names of lists that a loop's body appends to, once for each iteration or not."""
    found = []
    for node in (n for statement in loop.body for n in ast.walk(statement)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[_]):
                found.append(name)
    return tuple(dict.fromkeys(found))


class Instrumenter:
    """Turns one cell's tree into its hooked twin, adding to `tables`."""

    def __init__(self, tables: Tables, tree: ast.Module, tree_number: int) -> None:
        self.tables = tables
        self.tree = tree_number
        self.index = number(tree)
        self.function: int | None = None
        self.depth = 0
        self.current = 0
        self.bound: list[set[str]] = []

    # statements -----------------------------------------------------------------------------------------------------

    def module(self, tree: ast.Module) -> ast.Module:
        """Return the instrumented twin of `tree`."""
        return ast.fix_missing_locations(ast.Module(body=self.block(tree.body), type_ignores=[]))

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Instrument a list of statements."""
        out: list[ast.stmt] = []
        for node in body:
            out.extend(self.statement(node))
        return out

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        """Instrument one statement; it may become several."""
        method = getattr(self, "_do_" + type(node).__name__.lower(), None)
        if method is None:
            return [node]
        outer, self.current = self.current, self.index[node]
        result: list[ast.stmt] = method(node)
        self.current = outer
        return result

    def _new_statement(self, node: ast.stmt) -> int:
        appends = appended_in(node) if isinstance(node, ast.For) else ()
        assigns = isinstance(node, ast.For) and sets_items(node)
        kind, binds = type(node).__name__, targets_of(node)
        self.tables.statements.append(
            Statement(
                self.tree,
                self.index[node],
                kind,
                binds,
                self.depth,
                self.function,
                appends,
                assigns,
                column_of(node),
                written_by(node),
                self.index[node.value] if isinstance(node, ast.Assign) else None,
            )
        )
        return len(self.tables.statements) - 1

    def _hook(self, name: str, node: ast.AST, *args: ast.expr) -> ast.Call:
        func = ast.Attribute(value=ast.Name(id=HOOK, ctx=ast.Load()), attr=name, ctx=ast.Load())
        return _located(ast.Call(func=func, args=list(args), keywords=[]), node)

    def _mark(self, name: str, k: int, node: ast.stmt) -> ast.stmt:
        return _located(ast.Expr(value=self._hook(name, node, ast.Constant(k))), node)

    def _simple(self, node: ast.stmt, twin: ast.stmt) -> list[ast.stmt]:
        k = self._new_statement(node)
        self._defines(k, node)
        return [self._mark("begins", k, node), _located(twin, node), self._mark("ends", k, node)]

    def _defines(self, k: int, node: ast.stmt) -> None:
        definition = definition_of(node, self.index) if self.function is None else None
        if definition is not None:
            self.tables.definitions[k] = definition

    def _do_classdef(self, node: ast.ClassDef) -> list[ast.stmt]:
        return [node, *self._defined(node)]

    def _do_asyncfunctiondef(self, node: ast.AsyncFunctionDef) -> list[ast.stmt]:
        return [node, *self._defined(node)]

    def _defined(self, node: ast.stmt) -> list[ast.stmt]:
        """What follows a definition whose body is not hooked: the recorder is told that it ran."""
        if self.function is not None:
            return []
        k = self._new_statement(node)
        self._defines(k, node)
        return [self._mark("defined", k, node)]

    def _do_assign(self, node: ast.Assign) -> list[ast.stmt]:
        return self._simple(
            node, ast.Assign(targets=[self._target(t) for t in node.targets], value=self.expr(node.value))
        )

    def _do_augassign(self, node: ast.AugAssign) -> list[ast.stmt]:
        # The target of `x += 1` is read too; its reading is reported beside the statement, since the target itself cannot be wrapped.
        k = self._new_statement(node)
        out = [self._mark("begins", k, node)]
        if isinstance(node.target, ast.Name):
            sid = self._site(node.target, "name", node.target.id)
            read = ast.Name(id=node.target.id, ctx=ast.Load())
            out.append(
                _located(ast.Expr(value=self._hook("name", node, ast.Constant(sid), _located(read, node))), node)
            )
        out.append(
            _located(ast.AugAssign(target=self._place(node.target), op=node.op, value=self.expr(node.value)), node)
        )
        out.append(self._mark("ends", k, node))
        return out

    def _do_annassign(self, node: ast.AnnAssign) -> list[ast.stmt]:
        if node.value is None:
            return [node]
        twin = copy.copy(node)
        twin.target, twin.value = self._place(node.target), self.expr(node.value)
        return self._simple(node, twin)

    def _do_delete(self, node: ast.Delete) -> list[ast.stmt]:
        return self._simple(node, ast.Delete(targets=[self._target(t) for t in node.targets]))

    def _do_assert(self, node: ast.Assert) -> list[ast.stmt]:
        return self._simple(node, ast.Assert(test=self.expr(node.test), msg=node.msg))

    def _do_expr(self, node: ast.Expr) -> list[ast.stmt]:
        if isinstance(node.value, (ast.Constant, ast.Yield, ast.YieldFrom)):
            return [node]
        k = self._new_statement(node)
        value = self._hook("evaluates", node, ast.Constant(k), self.expr(node.value))
        return [self._mark("begins", k, node), _located(ast.Expr(value=value), node)]

    def _do_return(self, node: ast.Return) -> list[ast.stmt]:
        k = self._new_statement(node)
        value = ast.Constant(None) if node.value is None else self.expr(node.value)
        twin = ast.Return(value=self._hook("returns", node, ast.Constant(k), value))
        return [self._mark("begins", k, node), _located(twin, node)]

    def _do_if(self, node: ast.If) -> list[ast.stmt]:
        k = self._new_statement(node)
        test = self._hook("evaluates", node, ast.Constant(k), self.expr(node.test))
        twin = ast.If(test=test, body=self.block(node.body), orelse=self.block(node.orelse))
        return [self._mark("begins", k, node), _located(twin, node)]

    def _do_for(self, node: ast.For) -> list[ast.stmt]:
        k = self._new_statement(node)
        if self.function is None:
            self.tables.outside[k] = sorted(global_reads(node).names() - bound_in(node))
        items = self._hook("evaluates", node, ast.Constant(k), self.expr(node.iter))
        body = self._looped(k, node)
        twin = ast.For(target=node.target, iter=items, body=body, orelse=self.block(node.orelse), type_comment=None)
        return [self._mark("begins", k, node), _located(twin, node), self._mark("leaves_loop", k, node)]

    def _do_while(self, node: ast.While) -> list[ast.stmt]:
        k = self._new_statement(node)
        mark = self._hook("tests_again", node, ast.Constant(k))
        test = ast.BoolOp(
            op=ast.And(), values=[mark, self._hook("evaluates", node, ast.Constant(k), self.expr(node.test))]
        )
        twin = ast.While(test=_located(test, node), body=self._looped(k, node), orelse=self.block(node.orelse))
        return [self._mark("begins", k, node), _located(twin, node), self._mark("leaves_loop", k, node)]

    def _looped(self, k: int, node: ast.For | ast.While) -> list[ast.stmt]:
        """A loop's body twice: hooked, and plain for iterations that have long touched no rows."""
        plain = copy.deepcopy(node.body)
        self.depth += 1
        hooked = self.block(node.body)
        self.depth -= 1
        return [_located(ast.If(test=self._hook("iterates", node, ast.Constant(k)), body=hooked, orelse=plain), node)]

    def _do_with(self, node: ast.With) -> list[ast.stmt]:
        k = self._new_statement(node)
        items = [
            ast.withitem(context_expr=self.expr(i.context_expr), optional_vars=i.optional_vars) for i in node.items
        ]
        body = [self._mark("ends", k, node), *self.block(node.body)]
        return [self._mark("begins", k, node), _located(ast.With(items=items, body=body, type_comment=None), node)]

    def _do_try(self, node: ast.Try) -> list[ast.stmt]:
        handlers = [
            _located(ast.ExceptHandler(type=h.type, name=h.name, body=self.block(h.body)), h) for h in node.handlers
        ]
        twin = ast.Try(
            body=self.block(node.body),
            handlers=handlers,
            orelse=self.block(node.orelse),
            finalbody=self.block(node.finalbody),
        )
        return [_located(twin, node)]

    def _do_functiondef(self, node: ast.FunctionDef) -> list[ast.stmt]:
        if self.function is not None or has_yield(node):
            return [node, *self._defined(node)]
        outer, depth = self.function, self.depth
        self.function, self.depth = self.index[node], 0
        declared, rest = _split_declarations(node.body)
        plain = copy.deepcopy(rest)
        mark = self._function(node)
        hooked = self.block(rest)
        self.function, self.depth = outer, depth
        k = self._new_statement(node)
        leave = self._mark("leaves", k, node)
        live = ast.If(
            test=self._hook("enters", node, ast.Constant(k), ast.Constant(mark)),
            body=[ast.Try(body=hooked or [ast.Pass()], handlers=[], orelse=[], finalbody=[leave])],
            orelse=plain or [ast.Pass()],
        )
        twin = copy.copy(node)
        twin.body = [*declared, _located(live, node)]
        self._defines(k, node)
        return [twin, self._mark("defined", k, node)]

    # expressions ----------------------------------------------------------------------------------------------------

    def _site(
        self, node: ast.AST, kind: str, name: str = "", operands: tuple[int, ...] = (), call: CallShape | None = None
    ) -> int:
        self.tables.sites.append(Site(self.tree, self.index[node], kind, name, operands, call))
        number = len(self.tables.sites) - 1
        if kind == "name" and self.bound and not any(name in names for names in self.bound):
            self.tables.lambdas.setdefault((self.tree, self.current), []).append(number)
        return number

    def _wrapped(self, hook: str, sid: int, twin: ast.expr, node: ast.expr) -> ast.expr:
        twin = _located(twin, node)
        call = self._hook(hook, node, ast.Constant(sid), twin)
        call.nb2prod_sites = (sid,)  # type: ignore[attr-defined]
        return call

    def expr(self, node: ast.expr) -> ast.expr:
        """Return the hooked twin of an expression."""
        method = getattr(self, "_ex_" + type(node).__name__.lower(), None)
        if method is not None:
            result: ast.expr = method(node)
            return result
        if isinstance(node, COMPREHENSIONS):
            return self._comprehension(node)
        return self._through(node)

    def _through(self, node: ast.expr) -> ast.expr:
        """Rebuild a node whose value is not an operation of its own, remembering what feeds it."""
        twin = copy.copy(node)
        fed: list[int] = []
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr):
                new = self.expr(value)
                fed.extend(sites_of(new))
                setattr(twin, name, new)
            elif isinstance(value, list):
                items = [self.expr(v) if isinstance(v, ast.expr) else v for v in value]
                for item in items:
                    fed.extend(sites_of(item))
                setattr(twin, name, items)
        twin.nb2prod_sites = tuple(fed)  # type: ignore[attr-defined]
        return twin

    def _ex_constant(self, node: ast.Constant) -> ast.expr:
        return node

    def _ex_namedexpr(self, node: ast.NamedExpr) -> ast.expr:
        value = self.expr(node.value)
        twin = _located(ast.NamedExpr(target=node.target, value=value), node)
        twin.nb2prod_sites = sites_of(value)  # type: ignore[attr-defined]
        return twin

    def _ex_name(self, node: ast.Name) -> ast.expr:
        return self._wrapped("name", self._site(node, "name", node.id), node, node)

    def _function(self, node: ast.Lambda | ast.FunctionDef) -> str:
        """Keep a function as it is written; the mark by which its hooked code is known."""
        mark = f"nb2prod function {len(self.tables.functions)}"
        self.tables.functions[mark] = copy.deepcopy(node)
        return mark

    def _ex_lambda(self, node: ast.Lambda) -> ast.expr:
        if has_yield(node):
            return node
        plain = copy.deepcopy(node.body)
        mark = self._function(node)
        twin = copy.copy(node)
        args = node.args
        self.bound.append({a.arg for a in ast.walk(args) if isinstance(a, ast.arg)})
        hooked = self.expr(node.body)
        self.bound.pop()
        twin.body = _located(
            ast.IfExp(test=self._hook("follows_lambda", node, ast.Constant(mark)), body=hooked, orelse=plain), node.body
        )
        return twin

    def _ex_attribute(self, node: ast.Attribute) -> ast.expr:
        value = self.expr(node.value)
        sid = self._site(node, "attribute", node.attr, sites_of(value))
        return self._wrapped("result", sid, ast.Attribute(value=value, attr=node.attr, ctx=ast.Load()), node)

    def _ex_subscript(self, node: ast.Subscript) -> ast.expr:
        value = self.expr(node.value)
        key, fed = self._key(node.slice)
        sid = self._site(node, "subscript", "", sites_of(value) + fed)
        return self._wrapped("result", sid, ast.Subscript(value=value, slice=key, ctx=ast.Load()), node)

    def _key(self, node: ast.expr) -> tuple[ast.expr, tuple[int, ...]]:
        """A subscript's key as one logged value, so that a slice can be applied to row numbers too."""
        if isinstance(node, ast.Constant) and type(node.value) is not int:
            return node, ()
        inner = self._sliceless(node)
        fed = sites_of(inner)
        sid = self._site(node, "key", "", fed)
        return self._wrapped("key", sid, inner, node), (*fed, sid)

    def _sliceless(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Slice):
            parts = [
                self.expr(p) if p is not None else _located(ast.Constant(None), node)
                for p in (node.lower, node.upper, node.step)
            ]
            call = self._hook("slice", node, *parts)
            call.nb2prod_sites = tuple(s for p in parts for s in sites_of(p))  # type: ignore[attr-defined]
            return call
        if isinstance(node, ast.Tuple):
            items = [self._sliceless(e) for e in node.elts]
            twin = _located(ast.Tuple(elts=items, ctx=ast.Load()), node)
            twin.nb2prod_sites = tuple(s for p in items for s in sites_of(p))  # type: ignore[attr-defined]
            return twin
        return self.expr(node)

    def _ex_binop(self, node: ast.BinOp) -> ast.expr:
        left, right = self.expr(node.left), self.expr(node.right)
        sid = self._site(node, "binary", type(node.op).__name__, sites_of(left) + sites_of(right))
        return self._wrapped("result", sid, ast.BinOp(left=left, op=node.op, right=right), node)

    def _ex_unaryop(self, node: ast.UnaryOp) -> ast.expr:
        operand = self.expr(node.operand)
        sid = self._site(node, "unary", type(node.op).__name__, sites_of(operand))
        return self._wrapped("result", sid, ast.UnaryOp(op=node.op, operand=operand), node)

    def _ex_compare(self, node: ast.Compare) -> ast.expr:
        if all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            return self._through(node)  # asks nothing of any row: `total is None` is as true of a request's
        left = self.expr(node.left)
        rest = [self.expr(c) for c in node.comparators]
        fed = sites_of(left) + tuple(s for c in rest for s in sites_of(c))
        sid = self._site(node, "compare", "", fed)
        return self._wrapped("result", sid, ast.Compare(left=left, ops=node.ops, comparators=rest), node)

    def _ex_call(self, node: ast.Call) -> ast.expr:
        in_place = any(k.arg == "inplace" for k in node.keywords) or getattr(node.func, "attr", "") == "update"
        receiver: int | None = None
        func_site: int | None = None
        fed: tuple[int, ...] = ()
        func: ast.expr
        if isinstance(node.func, ast.Attribute):
            base = self._bare(node.func.value) if in_place else self.expr(node.func.value)
            base_sites = sites_of(base)
            receiver = (
                base_sites[-1]
                if len(base_sites) == 1 or (isinstance(node.func.value, OPERATIONS) and base_sites)
                else None
            )
            fed += base_sites
            func = _located(ast.Attribute(value=base, attr=node.func.attr, ctx=ast.Load()), node.func)
            if not in_place or isinstance(node.func.value, ast.Name):
                func_site = self._site(node.func, "method", node.func.attr)
                func = self._wrapped("callee", func_site, func, node.func)
                fed += (func_site,)
            name = node.func.attr
        else:
            func = self.expr(node.func)
            own = sites_of(func)
            func_site = own[-1] if own else None
            if func_site is not None:
                wrap = self._site(node.func, "function", getattr(node.func, "id", ""))
                func = self._wrapped("callee", wrap, func, node.func)
                func_site = wrap
                fed += (wrap,)
            fed += own
            name = getattr(node.func, "id", "")
        args, shape_args, fed_args = self._arguments(node)
        keywords, shape_kwargs, fed_kwargs = self._keywords(node)
        fed += fed_args + fed_kwargs
        shape = CallShape(receiver, func_site, shape_args, shape_kwargs)
        sid = self._site(node, "call", name, fed, shape)
        return self._wrapped("result", sid, ast.Call(func=func, args=args, keywords=keywords), node)

    def _arguments(self, node: ast.Call) -> tuple[list[ast.expr], tuple[tuple[str, Any], ...], tuple[int, ...]]:
        args: list[ast.expr] = []
        shape: list[tuple[str, Any]] = []
        fed: tuple[int, ...] = ()
        for arg in node.args:
            star = isinstance(arg, ast.Starred)
            value = arg.value if isinstance(arg, ast.Starred) else arg
            if isinstance(value, ast.Constant):
                args.append(arg)
                shape.append(("const", value.value))
                continue
            twin, sid, sites = self._logged(value)
            fed += sites
            args.append(_located(ast.Starred(value=twin, ctx=ast.Load()), arg) if star else twin)
            shape.append(("star" if star else "site", sid))
        return args, tuple(shape), fed

    def _keywords(self, node: ast.Call) -> tuple[list[ast.keyword], tuple[tuple[str, str, Any], ...], tuple[int, ...]]:
        keywords: list[ast.keyword] = []
        shape: list[tuple[str, str, Any]] = []
        fed: tuple[int, ...] = ()
        for word in node.keywords:
            if isinstance(word.value, ast.Constant):
                keywords.append(word)
                shape.append((word.arg or "", "const", word.value.value))
                continue
            twin, sid, sites = self._logged(word.value)
            fed += sites
            keywords.append(_located(ast.keyword(arg=word.arg, value=twin), word))
            shape.append((word.arg or "", "kwstar" if word.arg is None else "site", sid))
        return keywords, tuple(shape), fed

    def _logged(self, node: ast.expr) -> tuple[ast.expr, int, tuple[int, ...]]:
        """Hook an argument so that its value is in the log under one site."""
        # A generator given to a call is used up in it; kept in a variable it would run at some later statement.
        twin = self._comprehension(node, in_call=True) if isinstance(node, ast.GeneratorExp) else self.expr(node)
        sites = sites_of(twin)
        if isinstance(node, ast.GeneratorExp):
            return twin, -1, sites
        if isinstance(node, (ast.Name, *OPERATIONS)) and sites:
            return twin, sites[-1], sites
        sid = self._site(node, "value", "", sites)
        return self._wrapped("argument", sid, twin, node), sid, (*sites, sid)

    def _comprehension(self, node: ast.expr, in_call: bool = False) -> ast.expr:
        """A comprehension is one operation over what it iterates; names from outside are reported, its elements followed while they are few."""
        twin = copy.deepcopy(node)
        self._renumber(node, twin)
        generators: list[ast.comprehension] = twin.generators  # type: ignore[attr-defined]
        bound = {n.id for g in generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
        original: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        first, over, sites = self._logged(original[0].iter)
        fed = list(sites)
        reporter = _NameReporter(self, bound, fed)
        generators[0].iter = ast.Constant(None)
        self.bound.append(bound)
        reporter.visit(twin)
        generators[0].iter = first
        if in_call or not isinstance(node, ast.GeneratorExp):
            self._followed_element(node, twin, over, bound, fed)
        self.bound.pop()
        if isinstance(node, ast.GeneratorExp):
            twin.nb2prod_sites = tuple(fed)  # type: ignore[attr-defined]
            return twin
        sid = self._site(node, "comprehension", type(node).__name__, tuple(fed))
        return self._wrapped("result", sid, twin, node)

    def _followed_element(self, node: ast.expr, twin: ast.expr, over: int, bound: set[str], fed: list[int]) -> None:
        """Give the element a hooked version beside the plain one; the recorder says which of them runs."""
        part = "value" if isinstance(node, ast.DictComp) else "elt"
        element: ast.expr = getattr(node, part)
        if not any(isinstance(n, (ast.Call, ast.Subscript, ast.BinOp)) for n in ast.walk(element)):
            return
        hooked = self.expr(element)
        fed.extend(sites_of(hooked))
        names: list[ast.expr] = []
        for name in sorted(bound):
            names += [ast.Constant(name), ast.Name(id=name, ctx=ast.Load())]
        test = self._hook("element", node, ast.Constant(over), ast.Constant(self.index[node]), *names)
        setattr(twin, part, _located(ast.IfExp(test=test, body=hooked, orelse=getattr(twin, part)), element))

    def _renumber(self, node: ast.AST, twin: ast.AST) -> None:
        from .numbering import preorder

        for a, b in zip(preorder(node), preorder(twin), strict=True):
            self.index[b] = self.index[a]

    def _bare(self, node: ast.expr) -> ast.expr:
        """Hook only the names of a chain: a temporary that pandas asks the reference count of must not be held."""
        if isinstance(node, ast.Name):
            return self.expr(node)
        twin = copy.deepcopy(node)
        self._renumber(node, twin)
        fed: list[int] = []
        _NameReporter(self, set(), fed).visit(twin)
        twin.nb2prod_sites = ()  # type: ignore[attr-defined]
        return twin

    def _target(self, node: ast.expr) -> ast.expr:
        """An assignment's target: names at its base are reported, keys are hooked as expressions."""
        if isinstance(node, ast.Subscript):
            key, _ = self._key(node.slice)
            return _located(ast.Subscript(value=self._base(node.value), slice=key, ctx=node.ctx), node)
        if isinstance(node, ast.Attribute):
            return _located(ast.Attribute(value=self._base(node.value), attr=node.attr, ctx=node.ctx), node)
        if isinstance(node, (ast.Tuple, ast.List)):
            twin = copy.copy(node)
            twin.elts = [self._target(e) for e in node.elts]
            return twin
        return node

    def _place(self, node: ast.Name | ast.Attribute | ast.Subscript) -> ast.Name | ast.Attribute | ast.Subscript:
        """The target of an augmented or annotated assignment."""
        twin = self._target(node)
        return twin if isinstance(twin, (ast.Name, ast.Attribute, ast.Subscript)) else node

    def _base(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Name):
            return self.expr(node)
        if isinstance(node, ast.Attribute):
            return _located(ast.Attribute(value=self._base(node.value), attr=node.attr, ctx=node.ctx), node)
        if isinstance(node, ast.Subscript):
            key, _ = self._key(node.slice)
            return _located(ast.Subscript(value=self._base(node.value), slice=key, ctx=node.ctx), node)
        return self._bare(node)


class _NameReporter(ast.NodeTransformer):
    """Reports names read inside code that otherwise runs plain."""

    def __init__(self, owner: Instrumenter, bound: set[str], fed: list[int]) -> None:
        self.owner, self.bound, self.fed = owner, bound, fed

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if not isinstance(node.ctx, ast.Load) or node.id in self.bound:
            return node
        sid = self.owner._site(node, "name", node.id)
        self.fed.append(sid)
        return self.owner._wrapped("name", sid, node, node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

    def _nested(self, node: ast.AST) -> ast.AST:
        inner = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}  # type: ignore[attr-defined]
        outer, self.bound = self.bound, self.bound | inner
        result = self.generic_visit(node)
        self.bound = outer
        return result

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _nested  # noqa: N815


def sites_of(node: Any) -> tuple[int, ...]:
    """Return the sites whose values make up the value of a hooked twin."""
    found = getattr(node, "nb2prod_sites", None)
    if found is not None:
        return tuple(found)
    if isinstance(node, (ast.Starred, ast.FormattedValue)):
        return sites_of(node.value)
    return ()


def _split_declarations(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """Docstring, ``global`` and ``nonlocal`` must stand once, before the body's two versions."""
    first: list[ast.stmt] = []
    rest = list(body)
    if rest and isinstance(rest[0], ast.Expr) and isinstance(rest[0].value, ast.Constant):
        first.append(rest.pop(0))
    first.extend(s for s in rest if isinstance(s, (ast.Global, ast.Nonlocal)))
    return first, [s for s in rest if not isinstance(s, (ast.Global, ast.Nonlocal))]


def _located(new: N, old: ast.AST) -> N:
    return ast.copy_location(new, old)
