"""Rewrites a cell's tree so that each operation reports its operands and its result to the recorder.

Every operation still runs in the user's own frame, on the user's own objects: the hooks only look at values that pass through them.
That keeps tracebacks, warning locations, ``DataFrame.query("@x")`` and pandas' chained-assignment checks as they are without the recorder.
"""

from __future__ import annotations

import ast
import copy

from .definitions import definition_of
from .expressions import Expressions, located
from .scoping import bound_in, global_reads
from .sites import Statement
from .statement_facts import appended_in, column_of, has_yield, items_set_in, split_declarations, targets_of, written_by


class Instrumenter(Expressions):
    """Turns one cell's tree into its hooked twin, adding to `tables`."""

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
        assigns = items_set_in(node) if isinstance(node, ast.For) else ()
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

    def _mark(self, name: str, k: int, node: ast.stmt) -> ast.stmt:
        return located(ast.Expr(value=self._hook(name, node, ast.Constant(k))), node)

    def _simple(self, node: ast.stmt, twin: ast.stmt) -> list[ast.stmt]:
        k = self._new_statement(node)
        self._defines(k, node)
        return [self._mark("begins", k, node), located(twin, node), self._mark("ends", k, node)]

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
            out.append(located(ast.Expr(value=self._hook("name", node, ast.Constant(sid), located(read, node))), node))
        out.append(
            located(ast.AugAssign(target=self._place(node.target), op=node.op, value=self.expr(node.value)), node)
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
        return [self._mark("begins", k, node), located(ast.Expr(value=value), node)]

    def _do_return(self, node: ast.Return) -> list[ast.stmt]:
        k = self._new_statement(node)
        value = ast.Constant(None) if node.value is None else self.expr(node.value)
        twin = ast.Return(value=self._hook("returns", node, ast.Constant(k), value))
        return [self._mark("begins", k, node), located(twin, node)]

    def _do_if(self, node: ast.If) -> list[ast.stmt]:
        k = self._new_statement(node)
        test = self._hook("evaluates", node, ast.Constant(k), self.expr(node.test))
        twin = ast.If(test=test, body=self.block(node.body), orelse=self.block(node.orelse))
        return [self._mark("begins", k, node), located(twin, node)]

    def _do_for(self, node: ast.For) -> list[ast.stmt]:
        k = self._new_statement(node)
        if self.function is None:
            self.tables.outside[k] = sorted(global_reads(node).names() - bound_in(node))
        items = self._hook("evaluates", node, ast.Constant(k), self.expr(node.iter))
        body = self._looped(k, node)
        twin = ast.For(target=node.target, iter=items, body=body, orelse=self.block(node.orelse), type_comment=None)
        return [self._mark("begins", k, node), located(twin, node), self._mark("leaves_loop", k, node)]

    def _do_while(self, node: ast.While) -> list[ast.stmt]:
        k = self._new_statement(node)
        mark = self._hook("tests_again", node, ast.Constant(k))
        test = ast.BoolOp(
            op=ast.And(), values=[mark, self._hook("evaluates", node, ast.Constant(k), self.expr(node.test))]
        )
        twin = ast.While(test=located(test, node), body=self._looped(k, node), orelse=self.block(node.orelse))
        return [self._mark("begins", k, node), located(twin, node), self._mark("leaves_loop", k, node)]

    def _looped(self, k: int, node: ast.For | ast.While) -> list[ast.stmt]:
        """A loop's body twice: hooked, and plain for iterations that have long touched no rows."""
        plain = copy.deepcopy(node.body)
        self.depth += 1
        hooked = self.block(node.body)
        self.depth -= 1
        return [located(ast.If(test=self._hook("iterates", node, ast.Constant(k)), body=hooked, orelse=plain), node)]

    def _do_with(self, node: ast.With) -> list[ast.stmt]:
        k = self._new_statement(node)
        items = [
            ast.withitem(context_expr=self.expr(i.context_expr), optional_vars=i.optional_vars) for i in node.items
        ]
        body = [self._mark("ends", k, node), *self.block(node.body)]
        return [self._mark("begins", k, node), located(ast.With(items=items, body=body, type_comment=None), node)]

    def _do_try(self, node: ast.Try) -> list[ast.stmt]:
        handlers = [
            located(ast.ExceptHandler(type=h.type, name=h.name, body=self.block(h.body)), h) for h in node.handlers
        ]
        twin = ast.Try(
            body=self.block(node.body),
            handlers=handlers,
            orelse=self.block(node.orelse),
            finalbody=self.block(node.finalbody),
        )
        return [located(twin, node)]

    def _do_functiondef(self, node: ast.FunctionDef) -> list[ast.stmt]:
        if self.function is not None or has_yield(node):
            return [node, *self._defined(node)]
        outer, depth = self.function, self.depth
        self.function, self.depth = self.index[node], 0
        declared, rest = split_declarations(node.body)
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
        twin.body = [*declared, located(live, node)]
        self._defines(k, node)
        return [twin, self._mark("defined", k, node)]
