"""The recorder: hooks called by instrumented cells, and the trace that they leave.

The trace is a list of steps, one for each executed statement that touched rows, with what it read, bound and updated, and events:
where rows became something else (boundary), where rows were chosen (filter, select, order, split), where a table came in (root),
where an operation depends on the batch (frozen), where a model was fitted (fit) or asked (predict).
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import inspect
import os
import re
import sys
import threading
import types
import weakref
from typing import Any

from . import no_rows, operations, writer
from .answers import Answers, alters, scalar
from .arguments import arguments, fitted_to, places_of
from .definitions import Definitions
from .fitted import Fitted
from .frames import Elements, Frame, Loop, Step
from .guard import CALLER, guarded_statement, guarded_value, keep, module_of, name_of
from .infer import Operation, index_of, infer, unaltered
from .instrument import Instrumenter, Site, Statement, Tables
from .library_settings import Settings, differing
from .lineage import SCALARS, Kinds, Lineage, Rows, length
from .numbering import HOOK, digest
from .originals import original
from .raw_tables import RawTables
from .snapshots import Snapshots, fingerprint, type_name
from .taken import Taken
from .views import Views

COLD_AFTER = 400
MOST_EXECUTIONS = 3000
MOST_CELLS = 5_000_000
"""A table of more cells is not kept for code that has not run."""
MOST_ASKING = 400
MOST_ELEMENTS = 200
FEWEST_COUNTED = 12
"""Smaller numbers are too common to be taken for the number of rows."""
BLANK = frozenset({"zeros", "ones", "full", "empty"})
ITERATORS = frozenset({"zip", "enumerate", "map", "reversed", "list_iterator", "generator", "itertuples", "filter"})
COMPREHENSIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>"})
INNER_FRAMES = COMPREHENSIONS | {"<lambda>"}
PREDICTING = frozenset(
    {"predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "inplace_predict"}
)
ANSWERING = frozenset({"predict", "derived", "called", "bound", "written", "shown"})
"""Events of which a statement makes an answer."""
PLAIN = (str, int, float, bool, type(None))
PLAIN_CALLS = 200
STARRED = inspect.CO_VARARGS | inspect.CO_VARKEYWORDS
SPLITTERS = frozenset({"train_test_split", "shuffle", "resample"})


CLUSTERS = {
    "rule": "F1",
    "why": "labels_ holds the clusters of the rows that were fitted: a request's row is none of them.",
    "remedy": "Ask the model for the clusters of the rows at hand, with the columns that it was fitted on: model.predict(df[columns]).",
}


class Recorder:
    """Holds the trace; its short methods are the hooks."""

    slice = slice

    def __init__(self, folder: str, roles: dict[str, list[str]], namespace: dict[str, Any]) -> None:
        self.folder = folder
        self.roles = roles
        self.ns = namespace
        self.tables = Tables()
        self.rows = Rows()
        self.views = Views()
        self.definitions = Definitions(self.tables.definitions, namespace, self._without_state)
        self.snapshots = Snapshots(
            os.path.join(folder, "snapshots"), lambda function: original(function, self.tables), self._states_of
        )
        self.trees: list[str] = []
        self.steps: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.raw_tables = RawTables(folder)
        self.raw = self.raw_tables.entries
        self.taken = Taken(folder)
        self.fits: list[dict[str, Any]] = []
        self.fitted = Fitted(self.rows, self._lineage)
        self.lineages: dict[int, Lineage] = {}
        self.problems: list[str] = []
        self.settings: Settings | None = None
        """What was set on the libraries as the notebook predicted last."""
        self.stack: list[Frame] = [Frame(0, None, None, None)]
        self.seq = self.instances = 0
        self.thread = threading.get_ident()
        self.executions: dict[tuple[int, int], int] = {}
        self.quiet_functions: dict[int, int] = {}
        self.asking: dict[types.CodeType, int] = {}
        self.by_name = False
        """Whether the function that is about to run is followed only since it may ask a table by its name."""
        self.predicted: set[int] = set()
        self.altered: set[int] = set()
        """Tokens of predictions that are other values than a model gave."""
        self.answers = Answers(self)
        self.blank: set[int] = set()
        """Tokens of arrays made to be filled."""
        self.answer_columns: dict[int, set[Any]] = {}
        """Columns of tables, by token, that are predictions."""
        self.lengths: dict[int, Lineage] = {}
        self.operand_sets: list[frozenset[int]] = []
        self.fresh: dict[int, Any] = {}
        self.learned: dict[int, tuple[Any, dict[str, Any]]] = {}
        """What was fitted: where, and on which rows; by identity."""
        self.bunches: dict[int, tuple[Any, int]] = {}
        self.active = True

    # the transformer ------------------------------------------------------------------------------------------------

    def visit(self, tree: ast.Module) -> ast.Module:
        """IPython calls this with each cell's tree; a tree that can't be instrumented runs as it is."""
        if not self.active or not isinstance(tree, ast.Module):
            return tree
        mark = (len(self.tables.sites), len(self.tables.statements))
        try:
            self.trees.append(digest(tree))
            twin = Instrumenter(self.tables, tree, len(self.trees) - 1).module(tree)
            compile(twin, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except Exception as problem:  # ours, not the user's: run the cell plain and say so
            del self.tables.sites[mark[0] :]
            del self.tables.statements[mark[1] :]
            for k in [k for k in self.tables.definitions if k >= mark[1]]:
                del self.tables.definitions[k]
            self.problems.append(f"a cell could not be instrumented: {type(problem).__name__}: {problem}")
            return tree
        self.operand_sets.extend(frozenset(s.operands) for s in self.tables.sites[mark[0] :])
        self.stack = self.stack[:1]
        self.stack[0].loops.clear()
        self.stack[0].step = None
        return twin

    # hooks: statements ----------------------------------------------------------------------------------------------

    @guarded_statement(None)
    def s(self, k: int) -> None:
        """A statement begins."""
        frame = self.stack[-1]
        del frame.loops[self.tables.statements[k].depth :]
        self.seq += 1
        frame.step = Step(k, self.seq, frame)

    @guarded_statement(None)
    def e(self, k: int) -> None:
        """A statement has ended."""
        if k in self.tables.definitions:
            self.defined(k)
        frame = self.stack[-1]
        step = frame.step
        frame.step = None
        if step is None or step.k != k:
            return
        space = self.ns if frame.number == 0 else sys._getframe(CALLER).f_locals
        if step.touched or frame.plain or self._begins(k, space):
            self._guarded(self._finish, step, space, None, False)

    @guarded_statement(None)
    def defined(self, k: int) -> None:
        """A definition has run."""
        if self.active and len(self.stack) == 1 and threading.get_ident() == self.thread:
            self._guarded(self.definitions.made, k)

    def _begins(self, k: int, space: dict[str, Any]) -> bool:
        """Whether a statement makes an empty list or dict, in which rows may be gathered later."""
        made = [space.get(name) for name in self.tables.statements[k].binds]
        return any(isinstance(value, (list, dict)) and not value for value in made)

    @guarded_value
    def x(self, k: int, value: Any) -> Any:
        """An expression statement, a test or what a loop iterates over has its value."""
        frame = self.stack[-1]
        step = frame.step
        frame.step = None
        statement = self.tables.statements[k]
        if (
            step is not None
            and step.k == k
            and (step.touched or frame.plain or statement.kind in ("For", "If", "While"))
        ):
            # Headers are kept even without rows: what a loop runs over may be needed for what stands in it.
            self._guarded(self._finish, step, self.ns if frame.number == 0 else {}, value, True)
        if statement.kind in ("For", "While") and not (
            frame.loops[statement.depth :] and frame.loops[statement.depth].k == k
        ):
            self.instances += 1
            loop = Loop(k, self.instances)
            if Kinds.accessor(value) and (lineage := self.rows.of(value)) is not None:
                loop.source = (lineage, index_of(value))
                if frame.number:
                    self.frames[frame.number - 1]["walked"] = True
            elif (statement.appends or statement.assigns) and step is not None:
                self._guarded(self._goes_over, loop, step, value)
            frame.loops.append(loop)
        return value

    @guarded_value
    def t(self, k: int, value: Any) -> Any:
        """A function returns."""
        frame = self.stack[-1]
        step = frame.step
        frame.step = None
        if step is not None and step.k == k and (step.touched or frame.plain):
            self._guarded(self._finish, step, {}, value, True)
        return value

    @guarded_statement(False)
    def b(self, k: int) -> bool:
        """An iteration begins; False sends it through the plain body."""
        frame = self.stack[-1]
        depth = self.tables.statements[k].depth
        if len(frame.loops) <= depth or frame.loops[depth].k != k:
            return True
        loop = frame.loops[depth]
        del frame.loops[depth + 1 :]
        frame.step = None
        if not loop.hot:
            return False
        loop.iteration += 1
        loop.quiet += 1
        if loop.quiet > COLD_AFTER:
            loop.hot = False
            return False
        names = self.tables.statements[k].binds
        if names:
            space = self.ns if frame.number == 0 else sys._getframe(CALLER).f_locals
            self._guarded(self._iteration, frame, loop, {n: space.get(n) for n in names})
        return True

    @guarded_statement(True)
    def w(self, k: int) -> bool:
        """A while loop is about to test again."""
        frame = self.stack[-1]
        self.seq += 1
        frame.step = Step(k, self.seq, frame)
        return True

    @guarded_statement(None)
    def z(self, k: int) -> None:
        """A loop is over."""
        frame = self.stack[-1]
        loops = frame.loops[self.tables.statements[k].depth :]
        if loops and loops[0].k == k and loops[0].over is not None:
            space = self.ns if frame.number == 0 else sys._getframe(CALLER).f_locals
            self._guarded(self._filled, frame, loops[0], space)
        if loops and not frame.number and len(loops) == len(frame.loops) and self.predicted and self.in_predict_cell():
            self._guarded(self._looped, loops[0])
        del frame.loops[self.tables.statements[k].depth :]
        frame.step = None

    @guarded_statement(False)
    def enter(self, k: int, mark: str) -> bool:
        """One of the notebook's functions is called; True if its body is to be followed. The mark only stands in its code."""
        if not self.active or threading.get_ident() != self.thread or self.quiet_functions.get(k, 0) > COLD_AFTER:
            return False
        python = sys._getframe(CALLER)
        if not self._called_live(python):
            return False
        self._open(k, python)
        return True

    @guarded_statement(None)
    def leave(self, k: int) -> None:
        """The function's body is over, by return or by an exception."""
        python = id(sys._getframe(CALLER))
        while len(self.stack) > 1:
            frame = self.stack.pop()
            self.stack[-1].asked = self.stack[-1].asked or frame.asked
            if frame.python == python:
                break

    @guarded_statement(False)
    def live(self, mark: str) -> bool:
        """Tell whether a lambda's body is to be followed: its caller is the notebook itself, or it was given rows.

        The mark only stands in its code.
        """
        if not self.active or threading.get_ident() != self.thread:
            return False
        return self.stack[-1].step is not None and self._called_live(sys._getframe(CALLER))

    def _called_live(self, python: Any) -> bool:
        self.by_name = False
        caller = python.f_back
        top = self.stack[-1]
        # Called for each row by a comprehension over rows, it is a function of plain values. From Python 3.12 on a comprehension has no frame.
        plain = not self._following(top.step)
        while caller is not None and caller.f_code.co_name in INNER_FRAMES:
            caller = caller.f_back
        if caller is not None and not plain and HOOK in caller.f_code.co_names:
            if top.number == 0 and caller.f_code.co_name == "<module>" and top.step is not None:
                return True
            if top.python == id(caller) and top.step is not None:
                return True
        if top.step is None:
            return False
        code = python.f_code
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            value = python.f_locals.get(name)
            if value is not None and length(value) != 1 and self.rows.of(value) is not None:
                return True
        return self._asks_a_table(code, python)

    def _asks_a_table(self, code: types.CodeType, python: Any) -> bool:
        """Whether a function that is called for each row may ask a table by its name (``df["a"].mean()``): of the first calls some are followed."""
        calls = self.asking.get(code, 0)
        if calls >= MOST_ASKING:
            return False
        self.asking[code] = calls + 1
        local = python.f_locals
        values = [self.ns.get(name) for name in code.co_names] + [local.get(name) for name in code.co_freevars]
        self.by_name = any(not isinstance(v, SCALARS) and length(v) > 1 and self.rows.of(v) is not None for v in values)
        return self.by_name

    def _following(self, step: Step | None) -> bool:
        """Tell whether the comprehension that began last has its elements followed."""
        begun = list(step.elements.values())[-1:] if step is not None else []
        return not begun or begun[0].followed

    def _open(self, k: int, python: Any) -> None:
        parent = self.stack[-1].step
        if parent is not None:
            parent.called = True
        frame = Frame(len(self.frames) + 1, k, id(python), parent)
        frame.code = python.f_code
        code = python.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        keys, tokens, other = {}, {}, False
        for name in names:
            value = python.f_locals.get(name)
            if isinstance(value, PLAIN):
                keys[name] = value
                continue
            other = True
            if Kinds.series(value) and isinstance(value.name, (str, int)):
                keys[f"{name}.name"] = value.name  # a function given to `frame.apply` is called once for each column
            if (token := self.rows.token(value) if value is not None else None) is not None:
                tokens[name] = token
        self.frames.append(
            {
                "frame": frame.number,
                "k": k,
                "parent": parent.seq if parent else None,
                "node": None,
                "keys": keys,
                "rows": tokens,
                "asks": self.by_name,
                "loops": self._places(self.stack[-1]),
                "outer": self.stack[-1].number,
                "name": code.co_name,
            }
        )
        self.quiet_functions[k] = self.quiet_functions.get(k, 0) + 1
        outer = self.stack[-1]
        outer.asked = outer.asked and outer.plain
        own = bool(keys) and not other and not code.co_flags & STARRED and self._predicts(k)
        frame.plain = self.quiet_functions[k] <= PLAIN_CALLS and (outer.plain or (outer.number == 0 and own))
        self.stack.append(frame)

    @guarded_statement(False)
    def q(self, over: int, node: int, *variables: Any) -> bool:
        """An element of a comprehension is about to be computed; True if it is to be followed."""
        step = self.stack[-1].step
        if step is None or not self.active or threading.get_ident() != self.thread:
            return False
        known = step.elements.get(node)
        if known is None:
            known = step.elements[node] = Elements(self._few(step, over))
        if known.followed:
            pairs = zip(variables[::2], variables[1::2], strict=True)
            known.marks.append((len(step.events), {n: v for n, v in pairs if isinstance(v, PLAIN)}))
        return known.followed

    def _few(self, step: Step, over: int) -> bool:
        """Columns, models, tables: a handful of things that are not the rows themselves."""
        value = next((v for site, v in reversed(step.log) if site == over), None)
        if value is None or not hasattr(value, "__len__") or len(value) > MOST_ELEMENTS or self._carries_rows(value):
            return False
        rows = {x.n for v in step.names.values() if (x := self.rows.of(v)) is not None}
        return not (isinstance(value, range) and len(value) in rows)

    def _carries_rows(self, value: Any) -> bool:
        return not isinstance(value, SCALARS) and self.rows.of(value) is not None

    # hooks: expressions ---------------------------------------------------------------------------------------------

    @guarded_value
    def n(self, site: int, value: Any) -> Any:
        """A name was read."""
        step = self.stack[-1].step
        if step is None:
            return value
        step.names[site] = value
        step.log.append((site, value))
        if not isinstance(value, SCALARS):
            self._guarded(self._note, step, value)
        return value

    @guarded_value
    def v(self, site: int, value: Any) -> Any:
        """An argument has its value."""
        step = self.stack[-1].step
        if step is not None:
            step.log.append((site, value))
        return value

    k = v

    @guarded_value
    def c(self, site: int, func: Any) -> Any:
        """A callee is known; the few functions whose choice of rows can't be seen afterwards are asked to choose row numbers too."""
        step = self.stack[-1].step
        if step is None:
            return func
        step.log.append((site, func))
        if name_of(func) in SPLITTERS and module_of(func).startswith("sklearn."):
            return self._splitting(func, step)
        return func

    @guarded_value
    def r(self, site: int, result: Any) -> Any:
        """An operation has its result."""
        step = self.stack[-1].step
        if step is None:
            return result
        if threading.get_ident() == self.thread:
            known = len(step.events)
            self._guarded(self._operation, step, site, result)
            tree = self.tables.sites[site].tree
            if tree != self.tables.statements[step.k].tree:
                # In a lambda of another cell: the nodes of these events are none of the statement's.
                for event in step.events[known:]:
                    event["tree"] = tree
        return result

    # what the hooks do ----------------------------------------------------------------------------------------------

    def _guarded(self, action: Any, *args: Any) -> None:
        try:
            action(*args)
        except Exception as problem:
            keep(self.problems, problem)

    def _note(self, step: Step, value: Any) -> None:
        lineage = self.rows.of(value)
        if lineage is None:
            holder = self.rows.holder(value, known=True)
            if holder is not None and holder not in step.holders:
                step.holders[holder] = (value, _held(value))
            for member, _ in self.rows.inside(value):
                step.touched = True
                self._remember(step, member)
            if Kinds.accessor(value):
                return
            return
        step.touched = True
        self._remember(step, value)

    def _remember(self, step: Step, value: Any) -> None:
        token = self.rows.token(value)
        if token is not None and token not in step.before:
            step.before[token] = (
                value,
                fingerprint(value),
                getattr(value, "index", None) if Kinds.pandas(value) else None,
            )

    def _operands(self, step: Step, site: int) -> dict[int, Any]:
        wanted = self.operand_sets[site]
        if not wanted:
            return {}
        log = step.log
        found: dict[int, Any] = {}
        first = len(log)
        for i in range(len(log)):
            if log[i][0] in wanted:
                first = min(first, i)
                found[log[i][0]] = log[i][1]
        del log[first:]
        return found

    def _operation(self, step: Step, number: int, result: Any) -> None:
        site = self.tables.sites[number]
        values = self._operands(step, number)
        step.log.append((number, result))
        for node in [n for n in step.elements if n >= site.node]:
            self._elements_done(step, node)
        self.answers.made(step, site, values, result)
        # A data set's parts come in each time anew (`X, y = iris.data, iris.target`): it is no container of the request's rows.
        if _part_of_bunch(site, values) or not any(self._carrying(value) for value in values.values()):
            self._without_rows(step, site, values, result)
            return
        step.touched = True
        op = self._describe(site, values, result)
        self._attribute_frames(step, site, op)
        if step.split is not None and step.split[0] is result:
            self._split_event(step, site, op)
            return
        if result is None:
            self._in_place(step, site, op)
            return
        outcome = self.raw_tables.without_names(op.result, infer(op, self.rows))
        self._fitting(step, site, op)
        self._learning(step, site, op)
        self.taken.fitted(site, op)
        if self._sifted(step, site, op) or (outcome.lineage is None and self._walks_rows(op)):
            return
        if outcome.lineage is None and self._frozen_parts(op):
            self._frozen(step, site, op)
            return
        if outcome.lineage is None:
            if outcome.event == "reshape":
                step.events.append({"kind": "reshape", "node": site.node, "name": op.name})
            if self.rows.inside(result) or Kinds.accessor(result) or self._one_answer(step, site, op):
                return
            self._note_length(op)
            self.taken.reduction(site, op, [x for v in op.operands if (x := self.lineage_of(v)) is not None])
            step.events.append(
                {
                    "kind": "boundary",
                    "node": site.node,
                    "name": op.name,
                    "value": result,
                    "from": self._sources(op),
                }
            )
            return
        self._reshaped(step, site, op, outcome.lineage)
        fresh = self.rows._entry(result) is None
        token = self.rows.put(result, outcome.lineage, by_index=outcome.lineage.upright is None)
        self.views.link(result, op.operands)
        if outcome.event in ("filter", "select", "order", "row"):
            event = {
                "kind": outcome.event,
                "node": site.node,
                "name": op.name,
                "op": site.kind,
                "before": self._lineage(outcome.before),
                "after": self._lineage(outcome.lineage),
            }
            # One row may as well be a constant of training's: the plan says which, so its value is kept.
            step.events.append({**event, "value": result} if outcome.event == "row" else event)
        elif outcome.event == "merge":
            self._merge_event(step, site, op, outcome.lineage)
        self._lookups(step, site, op, outcome.lineage)
        self._mentions(step, site, op)
        self._frozen(step, site, op)
        self._predicting(step, site, op, token, outcome.lineage, fresh)
        self._rename_root(step, site, op, outcome.lineage)

    def _without_rows(self, step: Step, site: Site, values: dict[int, Any], result: Any) -> None:
        """An operation on no rows: a table may come in, or a function of plain values may predict."""
        if site.kind == "call" and self._plain_call(step, site, values, result):
            return
        if isinstance(result, SCALARS) or self._blank(step, site, result):
            return
        if site.kind == "attribute" and site.name == "labels_" and Kinds.array(result):
            step.events.append({"kind": "refuse", "node": site.node, **CLUSTERS})
        self._made_fresh(site, values, result)
        if site.kind in ("call", "attribute", "subscript"):
            self._maybe_root(step, site, values, result)

    def _made_fresh(self, site: Site, values: dict[int, Any], result: Any) -> None:
        """Remember what pandas made of no rows at all (``pd.date_range(...)``): a table made of it has lost none."""
        if not Kinds.pandas(result):
            return
        func = values.get(site.call.func) if site.call is not None and site.call.func is not None else None
        owner = getattr(func, "__self__", None)
        parts = [v for v in (*values.values(), owner) if Kinds.pandas(v)]
        ours = Kinds.pandas(owner) or module_of(func).startswith("pandas") or site.kind != "call"
        if ours and all(self._is_fresh(v) for v in parts) and (parts or site.kind == "call"):
            self.fresh[id(result)] = weakref.ref(result)

    def _is_fresh(self, value: Any) -> bool:
        known = self.fresh.get(id(value))
        return known is not None and known() is value

    def _plain_call(self, step: Step, site: Site, values: dict[int, Any], result: Any) -> bool:
        """Inside a call with plain values: note that a model answered. Outside: note the call, if one did. True if nothing more is to be seen."""
        if step.frame.plain:
            step.frame.asked = step.frame.asked or site.name in PREDICTING
            return True
        if not (step.frame.number == 0 and step.frame.asked and site.call is not None and site.call.func is not None):
            return False
        step.frame.asked = False
        func = values.get(site.call.func)
        made = next((f for f in reversed(self.frames) if f["parent"] == step.seq and f["outer"] == 0), None)
        if not isinstance(func, types.FunctionType) or made is None or made["name"] != func.__name__:
            return False
        args, kwargs = arguments(site.call, values)
        bound = inspect.signature(func).bind(*args, **kwargs)
        bound.apply_defaults()
        step.touched = step.carries = True
        made["node"] = site.node
        step.events.append(
            {
                "kind": "called",
                "node": site.node,
                "name": func.__name__,
                "arguments": dict(bound.arguments),
                "frame": made["frame"],
                "state": self.definitions.state(func),
                "output": self._output(result),
            }
        )
        return True

    def _elements_done(self, step: Step, node: int) -> None:
        """An operation that stands before the comprehension, in it or around it, has ended: so has the comprehension.

        Write beside each event of an element what the comprehension's variables held.
        """
        done = step.elements.pop(node)
        if not done.marks:
            return
        ends = [at for at, _ in done.marks[1:]] + [len(step.events)]
        for (start, keys), end in zip(done.marks, ends, strict=True):
            for event in step.events[start:end]:
                event["keys"] = {**keys, **event.get("keys", {})}

    def _blank(self, step: Step, site: Site, result: Any) -> bool:
        """``np.zeros(len(test))``: an array with an entry for each row, to be filled or added to; its length is the rows' own."""
        if site.kind != "call" or site.name not in BLANK or not Kinds.array(result):
            return False
        inside = [e for e in step.events if e["kind"] == "boundary" and e["node"] > site.node and e["from"]]
        lengths = [e for e in inside if e["name"] in ("len", "shape")]
        sides = result.shape[:2]
        lineage = next((x for e in lengths if (x := self.lineages[e["from"][0]]).n in sides), None)
        if lineage is None and not inside:
            return self._counted(step, site, result)
        if lineage is None or lineage.n < 2 or len(lengths) != len(inside):
            return False
        step.events = [e for e in step.events if not any(e is other for other in lengths)]
        step.touched = True
        self.blank.add(self.rows.put(result, lineage if lineage.n == len(result) else lineage.turned()))
        return True

    def _reshaped(self, step: Step, site: Site, op: Operation, lineage: Lineage) -> None:
        """``images.reshape((len(images), -1))``: the number of rows is the request's, whether it is asked there or held by a variable."""
        if op.name != "reshape":
            return

        def told(event: dict[str, Any]) -> bool:
            asked = event["kind"] == "boundary" and event["name"] in ("len", "shape") and event["node"] > site.node
            return asked and bool(event["from"]) and self.lineages[event["from"][0]].n == lineage.n

        step.events = [event for event in step.events if not told(event)]
        for number, value in step.names.items():
            where = self.tables.sites[number]
            if where.node > site.node and type(value) is int and value == lineage.n >= FEWEST_COUNTED:
                step.events.append({"kind": "count", "node": where.node})

    def _note_length(self, op: Operation) -> None:
        """Remember how many rows something has, where the notebook asks."""
        count = op.result
        if op.name == "shape" and isinstance(count, tuple) and count:
            count = count[0]
        elif op.name != "len":
            return
        lineage = next((x for v in op.operands if (x := self.lineage_of(v)) is not None), None)
        if isinstance(count, int) and lineage is not None and lineage.n == count >= FEWEST_COUNTED:
            self.lengths[count] = lineage

    def _counted(self, step: Step, site: Site, result: Any) -> bool:
        """``m = len(y)``, then ``np.ones((m, 1))``: a variable that holds how many rows there are."""
        lineage = self.lengths.get(len(result))
        within = [s for s in step.names if self.tables.sites[s].node > site.node]
        named = [s for s in within if step.names[s] is not True and step.names[s] == len(result)] if lineage else []
        if lineage is None or len(named) != 1:
            return False
        step.touched = True
        step.events.append({"kind": "count", "node": self.tables.sites[named[0]].node})
        self.rows.put(result, lineage)
        return True

    def _added_up(self, step: Step, value: Any) -> None:
        """``total += model.predict(test)``: what rows are added to has an entry for each of them."""
        parts = [(v, x) for _, v in step.log if (x := self.lineage_of(v)) is not None and x.n == length(value)]
        if not parts:
            return
        if self.rows.of(value) is None:
            self.rows.put(value, parts[-1][1])
        if any(self.rows.token(v) in self.predicted for v, _ in parts):
            self.predicted.add(self.rows.token(value))  # type: ignore[arg-type]

    def _sources(self, op: Operation) -> list[int | None]:
        """The lineages of what an operation was given."""
        return [self._lineage(x) for v in op.operands if (x := self.lineage_of(v)) is not None][:3]

    def lineage_of(self, value: Any) -> Lineage | None:
        return None if isinstance(value, SCALARS) else self.rows.of(value)

    def _carrying(self, value: Any) -> bool:
        return not isinstance(value, SCALARS) and (self.rows.of(value) is not None or bool(self.rows.inside(value)))

    def _describe(self, site: Site, values: dict[int, Any], result: Any) -> Operation:
        args: tuple[Any, ...] = ()
        kwargs: dict[str, Any] = {}
        func = receiver = key = None
        operands = list(values.values())
        if site.call is not None:
            shape = site.call
            func = values.get(shape.func) if shape.func is not None else None
            receiver = (
                getattr(func, "__self__", None)
                if shape.receiver is not None or isinstance(func, types.MethodType)
                else None
            )
            if shape.receiver is not None and shape.receiver in values:
                receiver = values[shape.receiver]
            if isinstance(receiver, types.ModuleType):
                receiver = None
            args, kwargs = arguments(shape, values)
            operands = [v for v in operands if v is not func]
            given = args[0] if args else None
            if site.name == "pipe" and Kinds.pandas(receiver) and (module_of(given) or "__main__") != "__main__":
                # `X.pipe(pd.get_dummies, ...)` is `pd.get_dummies(X, ...)`.
                name = name_of(given)
                return Operation("call", name, given, None, (receiver, *args[1:]), kwargs, operands, None, result)
        elif site.kind == "subscript":
            ordered = [s for s in site.operands if s in values]
            keyed = [s for s in ordered if self.tables.sites[s].kind == "key"]
            key = values[keyed[-1]] if keyed else _NoKey
            inside = set(self.tables.sites[keyed[-1]].operands) | {keyed[-1]} if keyed else set()
            bases = [s for s in ordered if s not in inside]
            receiver = values[bases[-1]] if bases else None
        elif operands:
            receiver = operands[0]
        return Operation(site.kind, site.name, func, receiver, args, kwargs, operands, key, result)

    # events ---------------------------------------------------------------------------------------------------------

    def _maybe_root(self, step: Step, site: Site, values: dict[int, Any], result: Any) -> None:
        """A table comes in: a frame returned by a call that took no rows, or a data set of scikit-learn's."""
        if site.kind in ("attribute", "subscript"):
            receiver = next(iter(values.values()), None)
            if _is_bunch(receiver) and (Kinds.pandas(result) or Kinds.array(result)) and length(result) > 1:
                self._bunch_root(step, site, receiver, result)
            return
        func = values.get(site.call.func) if site.call is not None and site.call.func is not None else None
        module = module_of(func)
        if isinstance(result, tuple) and module.startswith("sklearn.datasets") and result and length(result[0]) > 1:
            table = self.raw_tables.add(result[0], self.seq)
            for part in result[:2]:
                if length(part) == length(result[0]):
                    self.rows.put(part, self.raw_tables.whole(table, length(part)))
            self.raw_tables.extend(table, result[1])
            step.touched = True
            step.events.append({"kind": "root", "node": site.node, "table": table, "form": "pair"})
            return
        loader = module.startswith(("numpy", "sklearn.datasets")) and name_of(func) in (
            "loadtxt",
            "genfromtxt",
            "load",
        )
        if not Kinds.frame(result) and not (loader and Kinds.array(result)):
            return
        receiver = getattr(func, "__self__", None)
        if Kinds.pandas(receiver) or Kinds.array(receiver) or Kinds.accessor(receiver):
            return
        if any(Kinds.pandas(v) and len(v) > 1 and not self._is_fresh(v) for v in values.values()):
            return  # made from something whose rows were lost: its rows are none of a table's
        if len(result) < 1:
            # An empty table to which rows are added later: it carries none of any table's.
            self.rows.put(result, Lineage({}, 0))
            step.touched = True
            return
        table = self.raw_tables.add(result, self.seq)
        self.rows.put(result, self.raw_tables.whole(table, len(result)))
        step.touched = True
        step.events.append(
            {"kind": "root", "node": site.node, "table": table, "form": "frame" if Kinds.frame(result) else "array"}
        )

    def _bunch_root(self, step: Step, site: Site, bunch: Any, result: Any) -> None:
        known = self.bunches.get(id(bunch))
        if known is None or known[0] is not bunch:
            frame = bunch.get("frame")
            data = bunch.get("data")
            if frame is None and data is None:
                return
            content = frame if frame is not None else data
            table = self.raw_tables.add(content, self.seq, bunch.get("feature_names"))
            if frame is None:
                self.raw_tables.extend(table, bunch.get("target"))
            known = self.bunches[id(bunch)] = (bunch, table)
        table = known[1]
        info = self.raw[table]
        if length(result) != info["rows"]:
            return
        self.rows.put(result, self.raw_tables.whole(table, length(result)))
        columns = [str(c) for c in result.columns] if Kinds.frame(result) else None
        shape = list(result.shape[1:]) if Kinds.array(result) and result.ndim > 2 else None
        if shape is not None and not _same_values(result, bunch.get("data")):
            return
        if Kinds.array(result) and result.ndim >= 2:
            columns = [c for c in info["columns"] if c != info.get("target")]
        elif columns is None:
            columns = [str(getattr(result, "name", None) or info.get("target") or "target")]
        form = (
            "frame"
            if Kinds.frame(result)
            else "series"
            if Kinds.pandas(result)
            else "array"
            if result.ndim >= 2
            else "vector"
        )
        step.touched = True
        root = {"kind": "root", "node": site.node, "table": table, "form": form, "columns": columns}
        step.events.append({**root, "shape": shape} if shape is not None else root)

    def _rename_root(self, step: Step, site: Site, op: Operation, lineage: Lineage) -> None:
        """``pd.DataFrame(array, columns=...)`` names what came in without names."""
        if not Kinds.frame(op.result) or op.name != "DataFrame" or len(lineage.tables) != 1 or not op.args:
            return
        table, rows = next(iter(lineage.tables.items()))
        info = self.raw[table]
        if info["form"] != "array" or not isinstance(rows, range) or not Kinds.array(op.args[0]):
            return
        wide = op.args[0].ndim == 2 and op.args[0].shape[1] == op.result.shape[1]
        if wide and info.get("renamed") is None:
            self.raw_tables.name(table, op.result)
            columns = [c if isinstance(c, (str, int)) else str(c) for c in op.result.columns]
            form = "named" if len(columns) == len(info["renamed"]) else "frame"
            root = {"kind": "root", "node": site.node, "table": table, "form": form}
            step.events.append({**root, "columns": columns} if form == "frame" else root)

    def _merge_event(self, step: Step, site: Site, op: Operation, lineage: Lineage) -> None:
        step.events.append({"kind": "merge", "node": site.node, "name": op.name, "after": self._lineage(lineage)})

    def _lookups(self, step: Step, site: Site, op: Operation, lineage: Lineage) -> None:
        """Rows of another table that only serve to look something up: kept as they are, should the path need them."""
        if site.call is None:
            return
        shape = site.call
        for kind, sid in [*((k, s) for k, s in shape.args), *((k, s) for _, k, s in shape.kwargs)]:
            if kind != "site" or not isinstance(sid, int) or sid < 0:
                continue
            value = self._argument(op, shape, sid)
            other = self.rows.of(value) if value is not None else None
            if other is None or value is op.receiver:
                continue
            mine = self.rows.of(op.receiver) if op.receiver is not None else None
            if op.name in ("merge", "join", "merge_asof") or (
                mine is not None and not set(mine.tables) & set(other.tables)
            ):
                step.events.append(
                    {
                        "kind": "lookup",
                        "node": self.tables.sites[sid].node,
                        "call": site.node,
                        "value": value,
                        "of": self._lineage(other),
                    }
                )

    def _mentions(self, step: Step, site: Site, op: Operation) -> None:
        """``df.query("a > @cut")`` reads a variable that its text names."""
        if op.name not in ("query", "eval") or not op.args or not isinstance(op.args[0], str):
            return
        for name in dict.fromkeys(re.findall(r"@([A-Za-z_]\w*)", op.args[0])):
            if name in self.ns and step.frame.number == 0 and self.rows.of(self.ns[name]) is None:
                step.events.append({"kind": "mention", "node": site.node, "name": name, "value": self.ns[name]})

    def _argument(self, op: Operation, shape: Any, sid: int) -> Any:
        for (kind, s), value in zip(shape.args, op.args, strict=False):
            if kind == "site" and s == sid:
                return value
        for name, kind, s in shape.kwargs:
            if kind == "site" and s == sid:
                return op.kwargs.get(name)
        return None

    def _frozen(self, step: Step, site: Site, op: Operation) -> None:
        if op.kind not in ("call", "attribute") or self._fits_inside(step, op):
            return
        reason = operations.explain(op.func, op.receiver, op.name, op.args, op.kwargs)
        if reason is not None and not (op.name == "reset_index" and op.kwargs.get("drop")):
            step.events.append(
                {"kind": "depends", "node": site.node, "rule": reason[0], "why": reason[1], "remedy": reason[2]}
            )
            return
        found = operations.match(op.func, op.receiver, op.name, op.args, op.kwargs)
        if found is None:
            return
        self.active = False  # capturing may run the notebook's own function again: that is no part of the run
        try:
            state = found.capture(op.receiver, op.args, op.kwargs, op.result)
        except operations.NoEntry as refusal:
            if not refusal.rule:
                return  # nothing to keep: the call answers row by row as it is
            step.events.append(
                {
                    "kind": "refuse",
                    "node": site.node,
                    "rule": refusal.rule,
                    "why": refusal.why,
                    "remedy": refusal.remedy,
                }
            )
            return
        finally:
            self.active = True
        step.events.append(
            {
                "kind": "frozen",
                "node": site.node,
                "op": found.op,
                "rule": found.rule,
                "phrase": found.phrase,
                "value": state,
                "receiver_is_state": bool(getattr(found, "receiver_is_state", False)),
                "from": self._sources(op),
                "lineage": self._lineage(lineage) if (lineage := self.rows.of(op.result)) is not None else None,
                "attribute": op.kind == "attribute",
                "name": operations.telling_name(found, op.receiver, op.args, op.kwargs)
                if hasattr(operations, "telling_name")
                else found.op,
            }
        )

    def _sifted(self, step: Step, site: Site, op: Operation) -> bool:
        """A function that goes through groups or rows and gives back some rows of its table unaltered: a choice of rows, whatever it asked."""
        called = self._called(step, site)
        if not called or not any(self.frames[number - 1].get("walked") for number in called):
            return False
        after = self.rows.of(op.result)
        if after is None:
            return False
        for kind, place, value in places_of(site.call, op):
            before = self.rows.of(value)
            if kind != "site" or before is None or not unaltered(value, before, op.result, after):
                continue
            self.steps = [done for done in self.steps if done["frame"] not in called]
            for number in called:
                self.frames[number - 1]["parent"] = None
            self.rows.put(op.result, after)
            step.events.append(
                {
                    "kind": "filter" if after.n < before.n else "order",
                    "node": site.node,
                    "name": op.name,
                    "op": "call",
                    "table": self.tables.sites[place].node,
                    "before": self._lineage(before),
                    "after": self._lineage(after),
                }
            )
            return True
        return False

    def _called(self, step: Step, site: Site) -> set[int]:
        """The calls of the notebook's own functions that this expression made, theirs included."""
        called: set[int] = set()
        for info in reversed(self.frames):
            if info["parent"] == step.seq and info["node"] == site.node:
                called.add(info["frame"])
            elif info["parent"] is not None and info["parent"] < step.seq:
                break
        for info in self.frames[min(called, default=0) :]:
            if info["outer"] in called:
                called.add(info["frame"])
        return called

    def _fits_inside(self, step: Step, op: Operation) -> bool:
        """``df.apply(encode)`` over columns, where the notebook's `encode` fits an estimator: its own lines are served, column by column."""
        if op.name not in ("apply", "transform") or not Kinds.frame(op.receiver):
            return False
        called: set[int] = set()
        for info in reversed(self.frames):
            if info["parent"] != step.seq and info["outer"] not in called:
                break
            if any(key.endswith(".name") for key in info["keys"]) or info["outer"] in called:
                called.add(info["frame"])
        if not called:
            return False
        for done in reversed(self.steps):
            if done["seq"] < step.seq:
                break
            if done["frame"] in called and any(
                e["kind"] == "frozen" and e["receiver_is_state"] for e in done["events"]
            ):
                return True
        return False

    def _walks_rows(self, op: Operation) -> bool:
        """``zip(df.a, df.b)`` goes over rows: what a comprehension makes of it has an entry for each."""
        if type(op.result).__name__ not in ITERATORS or hasattr(op.receiver, "get_n_splits"):
            return False
        by_method = op.name in ("iterrows", "itertuples") or (op.name == "items" and not Kinds.frame(op.receiver))
        over = (op.receiver,) if by_method else op.args
        for lineage in [x for v in over if (x := self.rows.of(v)) is not None][:1]:
            self.rows.put(op.result, lineage, by_index=False)
        return True

    def _frozen_parts(self, op: Operation) -> bool:
        """A frozen operation that returns rows beside something else (``pd.factorize``): its parts carry the rows."""
        if op.kind != "call" or not isinstance(op.result, tuple):
            return False
        if operations.match(op.func, op.receiver, op.name, op.args, op.kwargs) is None:
            return False
        found = False
        for lineage in [x for v in op.operands if (x := self.rows.of(v)) is not None][:1]:
            for part in op.result:
                if length(part) == lineage.n and not isinstance(part, str):
                    self.rows.put(part, lineage)
                    found = True
        return found

    def _predicting(self, step: Step, site: Site, op: Operation, token: int, lineage: Lineage, fresh: bool) -> None:
        asked = (
            op.kind == "call" and op.name in PREDICTING and op.receiver is not None and not Kinds.pandas(op.receiver)
        )
        derived = any(self._is_predicted(v) for v in op.operands)
        question = no_rows.question(op)
        if question is not None:
            step.events.append({**question, "node": site.node, "lineage": self._lineage(lineage)})
        if asked:
            self.predicted.add(token)
            argument = next((s for kind, s in site.call.args if kind == "site"), None) if site.call else None
            node = self.tables.sites[argument].node if argument is not None else None
            step.carries = True
            given = op.args[0] if op.args and _moderate(op.args[0]) else None
            step.events.append(
                {
                    "kind": "predict",
                    "given": self._output(given) if given is not None else None,
                    "node": site.node,
                    "name": op.name,
                    "argument": node,
                    "model": type_name(op.receiver),
                    **self.fitted.of(op.receiver),
                    "output": self._output(op.result),
                    "lineage": self._lineage(lineage),
                    "token": token,
                }
            )
        elif derived:
            self.predicted.add(token)
            given = next((v for v in op.operands if self._is_predicted(v)), None)
            if (given is not None and self.rows.token(given) in self.altered) or alters(given, op.result):
                self.altered.add(token)
            if self.in_predict_cell() and _small(op.result):
                step.events.append(
                    {
                        "kind": "derived",
                        "node": site.node,
                        "output": self._output(op.result),
                        "lineage": self._lineage(lineage),
                        "token": token,
                        "altered": token in self.altered,
                    }
                )

    def _is_predicted(self, value: Any) -> bool:
        """Whether the value is a prediction, or a list or dict of predictions and nothing else."""
        token = self.rows.token(value)
        if token is not None:
            return token in self.predicted
        inside = self._tokens_inside(value)
        return bool(inside) and set(inside) <= self.predicted

    def _one_answer(self, step: Step, site: Site, op: Operation) -> bool:
        """``model.predict(row)[0]``: the plain value of a prediction for one row is that prediction still."""
        of = [x for v in op.operands if self.rows.token(v) in self.predicted and (x := self.rows.of(v)) is not None]
        return op.kind == "subscript" and bool(of) and of[0].n == 1 and scalar(op.result) and self.in_predict_cell()

    def _predicts(self, k: int) -> bool:
        """Whether a function may make the prediction: it is called in a predict cell, or was defined in one."""
        defined = self.trees[self.tables.statements[k].tree]
        return self.in_predict_cell() or "predict" in self.roles.get(defined, [])

    def in_predict_cell(self) -> bool:
        return self._in_cell("predict")

    def _in_cell(self, tag: str) -> bool:
        return tag in self.roles.get(self.trees[-1], []) if self.trees else False

    def _output(self, value: Any) -> int:
        return self.snapshots.take(value)

    def _learning(self, step: Step, site: Site, op: Operation) -> None:
        """Remember what was fitted on which rows, whatever it is."""
        fits = op.result is op.receiver or "fit" in op.name
        if op.kind != "call" or not fits or self.lineage_of(op.receiver) is not None or not (rows := self._sources(op)):
            return
        try:
            ref = weakref.ref(op.receiver)
        except TypeError:
            return
        self.learned[id(op.receiver)] = (ref, {"k": step.k, "node": site.node, "from": rows})

    def _fitting(self, step: Step, site: Site, op: Operation) -> None:
        y = fitted_to(op)
        training = self.fitted.note(op, y)
        lineage = self.rows.of(y) if y is not None else None
        if lineage is None or lineage.n < 2:
            return
        if Kinds.dataset(y):
            y = y.get_label()
        self.fits.append(
            {
                "seq": step.seq,
                "node": site.node,
                "frame": step.frame.number,
                "k": step.k,
                "y": self.snapshots.take(y),
                "lineage": self._lineage(lineage),
                "model": type_name(op.receiver),
                "training": training,
                "digests": self.taken.digests(op),
            }
        )
        del self.fits[:-30]

    def _splitting(self, func: Any, step: Step) -> Any:
        rows = self.rows

        def choose(*arrays: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            with contextlib.suppress(Exception):  # the notebook's own mistakes come again below, without the recorder
                if any(rows.of(a) is not None for a in arrays):
                    out = func(*arrays, sys.modules["numpy"].arange(length(arrays[0])), **options)
                    each = len(out) // (len(arrays) + 1)
                    positions, chosen = out[-each:], out[:-each]
                    if name_of(func) != "train_test_split" and len(arrays) == 1:
                        chosen = chosen[0]
                    step.split = (chosen, arrays, positions)
                    return chosen
            return func(*arrays, **options)

        choose.__name__, choose.__module__ = func.__name__, func.__module__
        return choose

    def _split_event(self, step: Step, site: Site, op: Operation) -> None:
        chosen, arrays, positions = step.split
        step.split = None
        each = len(positions)
        parts = chosen if isinstance(chosen, (list, tuple)) and len(arrays) * each > 1 else [chosen]
        after: list[int | None] = []
        for i, array in enumerate(arrays):
            lineage = self.rows.of(array)
            for j in range(each):
                part = parts[i * each + j]
                if lineage is None:
                    after.append(None)
                    continue
                taken = lineage.take(positions[j])
                self.rows.put(part, taken)
                after.append(self._lineage(taken))
        step.events.append(
            {
                "kind": "split",
                "node": site.node,
                "name": op.name,
                "after": after,
                "random_state": op.kwargs.get("random_state") is not None or op.kwargs.get("shuffle") is False,
            }
        )

    def _in_place(self, step: Step, site: Site, op: Operation) -> None:
        """A method that returned None may have changed which rows its receiver carries."""
        receiver = op.receiver
        if not Kinds.pandas(receiver) or not hasattr(receiver, "index"):
            return
        entry = self.rows._entry(receiver)
        token = self.rows.token(receiver)
        if entry is None or token is None or token not in step.before:
            return
        lineage, old, new = entry[1], step.before[token][2], receiver.index
        if old is None or (len(old) == len(new) and (old.is_(new) or old.equals(new))):
            return
        positions = old.get_indexer(new) if old.is_unique else None
        if op.name in ("reset_index", "set_index") and len(new) == lineage.n:
            self.rows.put(receiver, lineage)
            return
        if positions is None or (positions < 0).any() or op.kwargs.get("ignore_index"):
            self.rows.forget(receiver)
            return
        chosen = lineage.take(positions)
        self.rows.put(receiver, chosen)
        kind = "order" if chosen.n == lineage.n else "filter"
        step.events.append(
            {
                "kind": kind,
                "node": site.node,
                "name": op.name,
                "op": "call",
                "inplace": True,
                "before": self._lineage(lineage),
                "after": self._lineage(chosen),
            }
        )

    def _attribute_frames(self, step: Step, site: Site, op: Operation) -> None:
        """Say which call of this statement a just finished frame belongs to: the innermost one that has ended since."""
        if site.kind != "call":
            return
        for info in reversed(self.frames):
            if info["parent"] != step.seq:
                break
            if info["node"] is None:
                info["node"] = site.node

    def _goes_over(self, loop: Loop, step: Step, value: Any) -> None:
        """``for text in df["text"]``, ``for i in range(len(df))``, ``for _, row in df.iterrows()``: an iteration for each row."""
        loop.header = step.seq
        lineage = self.rows.of(value)
        if lineage is None and isinstance(value, range) and value == range(len(value)):
            # Of `range(len(df))` the header has read the table that it counts.
            read = [x for v in step.names.values() if not isinstance(v, SCALARS) and (x := self.rows.of(v)) is not None]
            lineage = next((x for x in read if x.n == len(value)), None)
        loop.over = lineage if lineage is not None and not lineage.single else None

    def _filled(self, frame: Frame, loop: Loop, space: dict[str, Any]) -> None:
        """What a loop over rows has filled (a list with an entry for each, a table's cells) carries them; it is served as it is written."""
        over = loop.over
        assert over is not None
        binds = []
        for name in self.tables.statements[loop.k].appends:
            value = space.get(name)
            if isinstance(value, list) and len(value) == over.n and over.n and self.rows.of(value) is None:
                binds.append([name, self.rows.put(value, over), self._lineage(over)])
        inside = [s for s in self.steps if _ran_in(s, loop)]
        changed = sorted({token for s in inside if s["kind"] != "iteration" for token in s["updates"]})
        if not binds and not changed:
            return
        head = [s for s in self.steps if s["seq"] == loop.header]
        reads = {
            (r["name"], r.get("token")): r
            for s in (*head, *inside)
            for r in s["reads"]
            if r["kind"] in ("rows", "container")
        }
        made = {b[0] for s in inside for b in s["binds"]}
        self.seq += 1
        self.steps.append(
            {
                "seq": self.seq,
                "k": loop.k,
                "frame": frame.number,
                "kind": "filled",
                "loops": self._places(frame)[: self.tables.statements[loop.k].depth],
                "binds": binds,
                "reads": [r for (name, _), r in reads.items() if name not in made],
                "updates": changed,
                "events": [],
                "names": {} if frame.number else self.definitions.reads(self.tables.outside[loop.k]),
            }
        )

    def _looped(self, loop: Loop) -> None:
        """A loop of a predict cell is over: what it has made of a prediction."""
        inside = [s for s in self.steps if s["updates"] and (s["k"] == loop.k or _ran_in(s, loop))]
        if inside:
            self._prediction_changed(inside[-1], {token for s in inside for token in s["updates"]})

    def _iteration(self, frame: Frame, loop: Loop, values: dict[str, Any]) -> None:
        loop.keys = {n: v for n, v in values.items() if isinstance(v, (str, int, float, bool, type(None)))}
        bound = []
        for name, value in values.items():
            if loop.source is not None and Kinds.pandas(value) and self.rows.of(value) is None:
                self._group(loop.source, value)
            token = self.rows.token(value) if value is not None and not isinstance(value, SCALARS) else None
            if token is not None:
                bound.append([name, token])
        if bound:
            loop.quiet = 0
            self.seq += 1
            self.steps.append(
                {
                    "seq": self.seq,
                    "k": loop.k,
                    "frame": frame.number,
                    "kind": "iteration",
                    "loops": self._places(frame),
                    "binds": bound,
                    "reads": [],
                    "events": [],
                    "updates": [],
                }
            )

    def _group(self, source: tuple[Lineage, Any], value: Any) -> None:
        """``for key, group in df.groupby(...)``: a group's rows are found by their labels."""
        lineage, old = source
        if old is None or not old.is_unique or not hasattr(value, "index"):
            return
        positions = old.get_indexer(value.index)
        if len(positions) and (positions >= 0).all():
            self.rows.put(value, lineage.take(positions))

    # the end of a statement -----------------------------------------------------------------------------------------

    def _finish(self, step: Step, space: dict[str, Any], value: Any, has_value: bool) -> None:
        frame, statement = step.frame, self.tables.statements[step.k]
        if step.touched:
            for loop in frame.loops:
                loop.quiet = 0
            if frame.k is not None:
                self.quiet_functions[frame.k] = 0
            if frame.parent is not None:
                frame.parent.touched = (
                    True  # a function that reads a table by its name works on rows, whatever it is given
                )
        idle, ran = set(), {self.tables.sites[site].node for site in step.names}
        for site in self.tables.lambdas.get((statement.tree, statement.node), ()):
            name = self.tables.sites[site].name
            if (
                site not in step.names
                and self.tables.sites[site].node not in ran
                and (name in space or name in self.ns)
            ):
                step.names[site] = space.get(name, self.ns.get(name))
                idle.add(site)
        written = {id(space.get(name, self.ns.get(name))) for name in statement.written}
        updates = self._updates(step, written, statement.column[1] if statement.column is not None else None)
        self._answers_written(step, statement, space)
        binds = self._binds(step, statement, space)
        result = self._carried(value) if has_value else None
        self._predicted_binds(step, statement, binds, space, value)
        header = statement.kind in ("For", "If", "While")
        # An assignment into rows may happen to change none in this iteration; what it read is needed all the same.
        writes = statement.kind in ("Assign", "AugAssign") and not statement.binds
        # A function that a call makes is served by that call: what this took of rows is kept.
        makes = any(isinstance(space.get(name), types.FunctionType) for name in statement.binds if step.events)
        keep = bool(binds or updates or result or step.carries or header or frame.number or writes or makes)
        count = self.executions[step.k, frame.number] = self.executions.get((step.k, frame.number), 0) + 1
        if count > MOST_EXECUTIONS:
            return
        record = {
            "seq": step.seq,
            "k": step.k,
            "frame": frame.number,
            "kind": "header" if header else "step",
            "loops": self._places(frame),
            "reads": [
                self._read(site, v, keep or (step.called and isinstance(v, types.FunctionType)), ran=site not in idle)
                for site, v in step.names.items()
            ],
            "binds": binds,
            "updates": updates,
            "result": result,
            "events": [self._event(e, keep) for e in step.events],
        }
        self.steps.append(record)
        if any(event["kind"] in ANSWERING for event in step.events):
            self.settings = differing()
        if not frame.number and not frame.loops:
            self._prediction_changed(record, set(updates))

    def _answers_written(self, step: Step, statement: Statement, space: dict[str, Any]) -> None:
        """``m[:, i] = model.predict(X)``: an array or a table into which nothing but predictions is written is one itself."""
        name = statement.written[0] if len(statement.written) == 1 else ""
        value = space.get(name, self.ns.get(name))
        token = self.rows.token(value) if value is not None and self.in_predict_cell() else None
        if token is None or statement.value is None or not self._assigns_prediction(step, statement.value):
            return
        keys = [v for site, v in step.log if self.tables.sites[site].kind == "key"]
        key = keys[-1] if keys else None
        if Kinds.frame(value):
            known = self.answer_columns.setdefault(token, set())
            known.add(statement.column[1] if statement.column else key)
            if not set(value.columns) <= known:  # type: ignore[union-attr]
                return
        elif token not in self.blank or not self._for_all_rows(value, key):
            return
        self.predicted.add(token)

    def _for_all_rows(self, value: Any, key: Any) -> bool:
        """Whether a key of an array addresses an entry for each row; ``oof[validation] = ...`` fills some of them."""
        lineage = self.rows.of(value)
        first = key[0] if isinstance(key, tuple) and key else key
        across = lineage is not None and lineage.upright is not None
        return across or (isinstance(first, slice) and first == slice(None))

    def _assigns_prediction(self, step: Step, node: int) -> bool:
        """Whether the value at a node is a prediction."""
        made = any(e["kind"] in ("predict", "derived") and e["node"] == node for e in step.events)
        return made or any(self.tables.sites[s].node == node and self._is_predicted(v) for s, v in step.names.items())

    def _binds(self, step: Step, statement: Statement, space: dict[str, Any]) -> list[list[Any]]:
        """What the statement bound to rows; for the notebook's own statement also what functions bound to global names."""
        binds: list[list[Any]] = []
        for name in statement.binds:
            if name in space:
                if statement.kind == "AugAssign" and length(space[name]) > 1:
                    self._added_up(step, space[name])
                self._bind(name, space[name], binds)
            elif _is_global(step.frame, name) and name in self.ns:
                self._bind(name, self.ns[name], binds)
                _outermost(step).rebound.add(name)
        if not step.frame.number:
            for name in sorted(step.rebound.difference(statement.binds)):
                self._bind(name, self.ns[name], binds)
        return binds

    def _prediction_changed(self, record: dict[str, Any], tokens: set[int]) -> None:
        """In a predict cell, keep what a statement or a whole loop has made of a prediction in its place."""
        tokens &= self.predicted
        if not tokens or not self.in_predict_cell():
            return
        for value in list(self.ns.values()):
            token = None if isinstance(value, SCALARS) else self.rows.token(value)
            if token not in tokens or not _small(value):
                continue
            tokens.discard(token)
            output, lineage = self._output(value), self._lineage(self.rows.of(value))
            node = self.tables.statements[record["k"]].node
            record["events"].append(
                {"kind": "changed", "node": node, "output": output, "lineage": lineage, "token": token}
            )

    def _places(self, frame: Frame) -> list[dict[str, Any]]:
        return [{"k": x.k, "instance": x.instance, "iteration": x.iteration, "keys": dict(x.keys)} for x in frame.loops]

    def _bind(self, name: str, value: Any, binds: list[list[Any]]) -> None:
        if isinstance(value, SCALARS):
            return
        token = self.rows.token(value)
        if token is not None:
            lineage = self.rows.of(value)
            binds.append([name, token, self._lineage(lineage) if lineage else None])
            if lineage is not None:
                for table in lineage.tables:
                    if self.raw[table]["name"] is None and isinstance(lineage.tables[table], range):
                        self.raw[table]["name"] = name
            return
        tokens = self._tokens_inside(value)
        holder = self.rows.holder(value)
        if tokens or holder is not None:
            binds.append([name, None, None, tokens + ([] if holder is None else [holder])])

    def _tokens_inside(self, value: Any) -> list[int]:
        return [t for v, _ in self.rows.inside(value) if (t := self.rows.token(v)) is not None]

    def _carried(self, value: Any) -> Any:
        if isinstance(value, SCALARS):
            return None
        token = self.rows.token(value)
        if token is not None:
            lineage = self.rows.of(value)
            return [token, self._lineage(lineage) if lineage else None]
        inside = self.rows.inside(value)
        return [None, None, [self.rows.token(v) for v, _ in inside]] if inside else None

    def _predicted_binds(
        self, step: Step, statement: Statement, binds: list[list[Any]], space: dict[str, Any], value: Any
    ) -> None:
        """In a predict or fallback cell, keep what its statements give: one of them is the prediction, or the answer by rule."""
        if step.frame.number or not (self.in_predict_cell() or self._in_cell("fallback")):
            return
        for bind in binds:
            lineage = self.rows.of(space[bind[0]]) if bind[1] is not None else None
            if lineage is not None and lineage.n > 0 and _small(space[bind[0]]):
                step.events.append(
                    {
                        "kind": "bound",
                        "node": self.tables.statements[step.k].node,
                        "name": bind[0],
                        "output": self._output(space[bind[0]]),
                        "lineage": bind[2],
                        "token": bind[1],
                        "predicted": bind[1] in self.predicted,
                        "altered": bind[1] in self.altered,
                    }
                )
        self.answers.bound(step, statement, space, value)
        if statement.column is not None and not step.frame.loops:
            self._column_written(step, *statement.column, space)
        lineage = self.rows.of(value) if value is not None else None
        if lineage is not None and _small(value):
            token = self.rows.token(value)
            step.events.append(
                {
                    "kind": "shown",
                    "node": statement.node,
                    "output": self._output(value),
                    "lineage": self._lineage(lineage),
                    "token": token,
                    "predicted": token in self.predicted,
                    "altered": token in self.altered,
                }
            )

    def _column_written(self, step: Step, name: str, column: str, space: dict[str, Any]) -> None:
        frame = space.get(name)
        lineage = self.rows.of(frame) if Kinds.pandas(frame) else None
        if lineage is None or getattr(frame, "ndim", 0) != 2 or column not in frame.columns:  # type: ignore[union-attr]
            return
        values = frame[column]  # type: ignore[index]
        if getattr(values, "ndim", 0) == 1:
            step.events.append(
                {
                    "kind": "written",
                    "node": self.tables.statements[step.k].node,
                    "name": name,
                    "column": column,
                    "output": self._output(values),
                    "lineage": self._lineage(lineage),
                    "token": self.rows.token(frame),
                }
            )

    def _updates(self, step: Step, written: set[int], column: str | None) -> list[int]:
        """Tokens of what the statement changed in its place, or through another value that lies in the same memory.

        A write counts even where nothing seems changed: the mark samples large tables, and a rule that met none of these rows may meet a request's.
        """
        changed = []
        for token, (value, mark, _) in step.before.items():
            if id(value) not in written and fingerprint(value) == mark:
                continue
            changed.append(token)
            entry = self.rows._entry(value)
            if entry is not None and Kinds.pandas(value) and hasattr(value, "index") and len(value) == entry[1].n:
                self.rows.put(value, entry[1])
            elif (
                entry is not None
                and not entry[1].single
                and entry[1].upright is None
                and length(value) >= 0
                and length(value) != entry[1].n
            ):
                self._grown(step, value, entry[1])
            changed += [t for v in self.views.others(value, column) if (t := self.rows.token(v)) is not None]
        for token, (value, held) in step.holders.items():
            if _held(value) != held and self.rows.inside(value):
                changed.append(token)
        return changed

    def _grown(self, step: Step, value: Any, before: Lineage) -> None:
        """``T = pd.DataFrame()``, then ``T["a"] = ...``: an empty table has the rows of its first column. Other changes of length can't be followed."""
        first = (x for _, v in reversed(step.log) if (x := self.lineage_of(v)) is not None and x.n == len(value))
        lineage = next(first, None) if before.n == 0 and Kinds.frame(value) else None
        if lineage is None:
            self.rows.forget(value)
        else:
            self.rows.put(value, lineage)

    def _read(self, site: int, value: Any, keep: bool, ran: bool = True) -> dict[str, Any]:
        where = self.tables.sites[site]
        read: dict[str, Any] = {"node": where.node, "name": where.name, "tree": where.tree}
        token = None if isinstance(value, SCALARS) else self.rows.token(value)
        if token is not None:
            return {**read, "token": token, **self._rows_by_name(value, snapshot=keep and not ran)}
        if not isinstance(value, SCALARS):
            tokens = self._tokens_inside(value)
            if tokens:
                holder = self.rows.holder(value, known=True)
                return {**read, "kind": "container", "tokens": tokens + ([] if holder is None else [holder])}
        return {**read, **self._classify(value, keep)}

    def _classify(self, value: Any, keep: bool) -> dict[str, Any]:
        if isinstance(value, types.ModuleType):
            return {"kind": "module", "module": value.__name__}
        module = module_of(value) or None
        if isinstance(value, (types.FunctionType, type)):
            own = module == "__main__"
            kind = ("function" if isinstance(value, types.FunctionType) else "class") if own else "import"
            found = {"kind": kind, "module": module, "qualname": getattr(value, "__qualname__", "")}
            return {**found, "state": self.definitions.state(value)} if own and keep else found
        if isinstance(value, types.BuiltinFunctionType) and (
            value.__self__ is None or isinstance(value.__self__, types.ModuleType)
        ):
            return {"kind": "import", "module": module, "qualname": value.__qualname__}
        if type(value).__name__ in ("ufunc", "_ArrayFunctionDispatcher"):
            return {"kind": "import", "module": "numpy", "qualname": value.__name__}
        if isinstance(value, types.GeneratorType) or type(value).__name__ in (
            "zip",
            "map",
            "filter",
            "enumerate",
            "generator",
        ):
            return {"kind": "iterator"}
        if not keep:
            return {"kind": "value", "snapshot": None}
        return {"kind": "value", "snapshot": self._kept(value)}

    def _kept(self, value: Any) -> int:
        """The number of a snapshot of the value, with what it was fitted on."""
        number = self.snapshots.take(value)
        learned = self.learned.get(id(value))
        if learned is not None and learned[0]() is value:
            self.snapshots.entries[number]["learned"] = learned[1]
        return number

    def _without_state(self, value: Any) -> dict[str, Any]:
        """What a value is that a function reads by its name."""
        if self._carrying(value):
            return self._rows_by_name(value, snapshot=True)
        return self._classify(value, True)

    def _rows_by_name(self, value: Any, *, snapshot: bool) -> dict[str, Any]:
        """A value with rows; with a `snapshot` where code that has not run may ask it (a function's branch that no row took)."""
        lineage = self.rows.of(value)
        found = {"kind": "rows", "lineage": self._lineage(lineage) if lineage else None}
        taken = snapshot and Kinds.pandas(value) and value.size <= MOST_CELLS
        return {**found, "snapshot": self.snapshots.take(value)} if taken else found

    def _states_of(self, names: set[str]) -> dict[str, int]:
        """The states of the notebook's functions and classes of these names, which a pickle refers to."""
        found = {name: self.definitions.state(self.ns[name]) for name in sorted(names) if name in self.ns}
        return {name: state for name, state in found.items() if state is not None}

    def _event(self, event: dict[str, Any], keep: bool) -> dict[str, Any]:
        if "value" not in event:
            return event
        value = event.pop("value")
        event["snapshot"] = (
            self._kept(value) if keep and not isinstance(value, (types.ModuleType, types.GeneratorType)) else None
        )
        event["type"] = type_name(value)
        return event

    def _lineage(self, lineage: Lineage | None) -> int | None:
        if lineage is None:
            return None
        self.lineages[lineage.serial] = lineage
        return lineage.serial

    # the end of the run ---------------------------------------------------------------------------------------------

    def names_of(self, wanted: list[str]) -> dict[str, Any]:
        """Classify and keep the current values of global names, for functions whose bodies were not followed."""
        out = {}
        for name in wanted:
            if name in self.ns:
                value = self.ns[name]
                token = None if isinstance(value, SCALARS) else self.rows.token(value)
                if token is None:
                    out[name] = self._classify(value, True)
                else:
                    out[name] = {"kind": "rows", "token": token, "snapshot": self.snapshots.take(value)}
        return out

    def finish(self) -> None:
        """Write the trace."""
        self.active = False
        writer.write(self)
        self.taken.write()


class _NoKey:
    """The key of a subscript was a column's name: columns need no following."""


def _ran_in(step: dict[str, Any], loop: Loop) -> bool:
    """Whether a recorded step belongs to this run of a loop."""
    return any(place["instance"] == loop.instance for place in step["loops"])


def _is_bunch(value: Any) -> bool:
    """A data set of scikit-learn's."""
    return type(value).__name__ == "Bunch"


def _part_of_bunch(site: Site, values: dict[int, Any]) -> bool:
    return site.kind in ("attribute", "subscript") and _is_bunch(next(iter(values.values()), None))


def _same_values(images: Any, data: Any) -> bool:
    """Whether an array of more dimensions holds what the flat table holds (``digits.images``)."""
    np = sys.modules["numpy"]
    flat = images.reshape(len(images), -1)
    return data is not None and flat.shape == getattr(data, "shape", None) and bool(np.array_equal(flat, data))


def _is_global(frame: Frame, name: str) -> bool:
    """Whether a function that binds this name means the notebook's variable: it says ``global``."""
    code = frame.code
    return code is not None and name in code.co_names and name not in (*code.co_varnames, *code.co_cellvars)


def _outermost(step: Step) -> Step:
    """The notebook's own statement that a function's statement runs for."""
    while step.frame.parent is not None:
        step = step.frame.parent
    return step


def _held(value: Any) -> Any:
    """A mark of what a list or dict holds: how much, and which objects come first."""
    members = list(value.values()) if isinstance(value, dict) else value
    return len(members), [id(member) for member in members[:60]]


def _small(value: Any) -> bool:
    """Narrow enough to be a prediction: a vector, or up to fifty outputs for each row."""
    shape = getattr(value, "shape", None)
    return isinstance(value, list) or (shape is not None and (len(shape) == 1 or (len(shape) == 2 and shape[1] <= 50)))


def _moderate(value: Any) -> bool:
    """Small enough to be kept beside the prediction it led to."""
    shape = getattr(value, "shape", None)
    if shape is None or not shape:
        return False
    cells = 1
    for side in shape:
        cells *= int(side)
    return cells <= 4_000_000


def install(folder: str, roles: dict[str, list[str]], shell: Any) -> Recorder:
    """Start recording in the running IPython shell."""
    recorder = Recorder(folder, roles, shell.user_ns)
    setattr(builtins, HOOK, recorder)
    shell.ast_transformers.append(recorder)
    return recorder
