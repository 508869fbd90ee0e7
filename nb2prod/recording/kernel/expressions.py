"""Expressions, rewritten so that each reports its operands and its result to the recorder."""

from __future__ import annotations

import ast
import copy
from typing import Any, TypeVar

from .numbering import HOOK, number
from .sites import CallShape, Site, Tables
from .statement_facts import has_yield

N = TypeVar("N", bound=ast.AST)


COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


OPERATIONS = (ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.UnaryOp, ast.Compare, *COMPREHENSIONS)


class Expressions:
    """Turns expressions of one cell into their hooked twins, adding their sites to `tables`."""

    def __init__(self, tables: Tables, tree: ast.Module, tree_number: int) -> None:
        self.tables = tables
        self.tree = tree_number
        self.index = number(tree)
        self.function: int | None = None
        self.depth = 0
        self.current = 0
        self.bound: list[set[str]] = []
        self.lambdas = 0
        """How many lambdas stand around the expression."""

    def _hook(self, name: str, node: ast.AST, *args: ast.expr) -> ast.Call:
        func = ast.Attribute(value=ast.Name(id=HOOK, ctx=ast.Load()), attr=name, ctx=ast.Load())
        return located(ast.Call(func=func, args=list(args), keywords=[]), node)

    # expressions ----------------------------------------------------------------------------------------------------

    def _site(
        self, node: ast.AST, kind: str, name: str = "", operands: tuple[int, ...] = (), call: CallShape | None = None
    ) -> int:
        self.tables.sites.append(Site(self.tree, self.index[node], kind, name, operands, call))
        number = len(self.tables.sites) - 1
        if kind == "name" and self.bound and not any(name in names for names in self.bound):
            self.tables.lambdas.setdefault((self.tree, self.current), []).append(number)
            if self.lambdas:
                self.tables.inner.add(number)
        return number

    def _wrapped(self, hook: str, sid: int, twin: ast.expr, node: ast.expr) -> ast.expr:
        twin = located(twin, node)
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
        twin = located(ast.NamedExpr(target=node.target, value=value), node)
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
        self.lambdas += 1
        hooked = self.expr(node.body)
        self.lambdas -= 1
        self.bound.pop()
        twin.body = located(
            ast.IfExp(test=self._hook("follows_lambda", node, ast.Constant(mark)), body=hooked, orelse=plain), node.body
        )
        return twin

    def _ex_attribute(self, node: ast.Attribute) -> ast.expr:
        value = self.expr(node.value)
        sid = self._site(node, "attribute", node.attr, sites_of(value))
        return self._wrapped("result", sid, ast.Attribute(value=value, attr=node.attr, ctx=ast.Load()), node)

    def _ex_subscript(self, node: ast.Subscript) -> ast.expr:
        value = self.expr(node.value)
        # `both.loc["train"]` chooses rows by a label, unlike `both["city"]`.
        key, fed = self._key(node.slice, labels=isinstance(node.value, ast.Attribute))
        sid = self._site(node, "subscript", "", sites_of(value) + fed)
        return self._wrapped("result", sid, ast.Subscript(value=value, slice=key, ctx=ast.Load()), node)

    def _key(self, node: ast.expr, labels: bool = False) -> tuple[ast.expr, tuple[int, ...]]:
        """A subscript's key as one logged value, so that a slice can be applied to row numbers too; a column's name is none, but where it may be a row's label."""
        if isinstance(node, ast.Constant) and type(node.value) is not int and not labels:
            return node, ()
        inner = self._sliceless(node)
        fed = sites_of(inner)
        sid = self._site(node, "key", "", fed)
        return self._wrapped("key", sid, inner, node), (*fed, sid)

    def _sliceless(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Slice):
            parts = [
                self.expr(p) if p is not None else located(ast.Constant(None), node)
                for p in (node.lower, node.upper, node.step)
            ]
            call = self._hook("slice", node, *parts)
            call.nb2prod_sites = tuple(s for p in parts for s in sites_of(p))  # type: ignore[attr-defined]
            return call
        if isinstance(node, ast.Tuple):
            items = [self._sliceless(e) for e in node.elts]
            twin = located(ast.Tuple(elts=items, ctx=ast.Load()), node)
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
            func = located(ast.Attribute(value=base, attr=node.func.attr, ctx=ast.Load()), node.func)
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
            args.append(located(ast.Starred(value=twin, ctx=ast.Load()), arg) if star else twin)
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
            keywords.append(located(ast.keyword(arg=word.arg, value=twin), word))
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
        setattr(twin, part, located(ast.IfExp(test=test, body=hooked, orelse=getattr(twin, part)), element))

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
            return located(ast.Subscript(value=self._base(node.value), slice=key, ctx=node.ctx), node)
        if isinstance(node, ast.Attribute):
            return located(ast.Attribute(value=self._base(node.value), attr=node.attr, ctx=node.ctx), node)
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
            return located(ast.Attribute(value=self._base(node.value), attr=node.attr, ctx=node.ctx), node)
        if isinstance(node, ast.Subscript):
            key, _ = self._key(node.slice)
            return located(ast.Subscript(value=self._base(node.value), slice=key, ctx=node.ctx), node)
        return self._bare(node)


class _NameReporter(ast.NodeTransformer):
    """Reports names read inside code that otherwise runs plain."""

    def __init__(self, owner: Expressions, bound: set[str], fed: list[int]) -> None:
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


def located(new: N, old: ast.AST) -> N:
    return ast.copy_location(new, old)
