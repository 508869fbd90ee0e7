"""The recorder: hooks called by instrumented cells, and the trace that they leave.

The trace is a list of steps, one for each executed statement that touched rows, with what it read, bound and updated, and events:
where rows became something else (boundary), where rows were chosen (filter, select, order, split), where a table came in (root),
where an operation depends on the batch (frozen), where a model was fitted (fit) or asked (predict).
"""

from __future__ import annotations

import ast
import builtins
import os
import sys
import threading
from typing import Any

from . import writer
from .answers import Answers
from .chosen_rows import index_of
from .comprehensions import Comprehensions
from .definitions import Definitions
from .fitted import Fitted
from .fitting import Fitting
from .followed_calls import PLAIN, FollowedCalls
from .frames import Elements, Loop, Step
from .freezing import Freezing
from .guard import CALLER, guarded_statement, guarded_value, module_of, name_of
from .instrument import Instrumenter
from .lengths import Lengths
from .lineage import SCALARS, Kinds
from .loops import Loops
from .numbering import HOOK, digest
from .observer import Observer
from .originals import original
from .predictions import Predictions
from .reads import Reads
from .run import Run
from .selections import Selections
from .snapshots import Snapshots
from .statements import Statements
from .tables_in import TablesIn
from .updates import Updates

COLD_AFTER = 400
SPLITTERS = frozenset({"train_test_split", "shuffle", "resample"})


class Recorder(Run):
    """The hooks, and those who are told of what they see."""

    slice = slice

    def __init__(self, folder: str, roles: dict[str, list[str]], namespace: dict[str, Any]) -> None:
        super().__init__(folder, roles, namespace)
        self.reads = Reads(self)
        self.definitions = Definitions(self.tables.definitions, namespace, self.reads.without_state)
        self.snapshots = Snapshots(
            os.path.join(folder, "snapshots"), lambda function: original(function, self.tables), self.reads.states_of
        )
        self.fitted = Fitted(self.rows, self.serial)
        self.observer = Observer(self)
        self.calls = FollowedCalls(self)
        self.comprehensions = Comprehensions(self)
        self.loops = Loops(self)
        self.statements = Statements(self)
        self.updates = Updates(self)
        self.tables_in = TablesIn(self)
        self.lengths = Lengths(self)
        self.selections = Selections(self)
        self.freezing = Freezing(self)
        self.fitting = Fitting(self)
        self.predictions = Predictions(self)
        self.answers = Answers(self)

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
        self.observer.operand_sets.extend(frozenset(s.operands) for s in self.tables.sites[mark[0] :])
        self.stack = self.stack[:1]
        self.stack[0].loops.clear()
        self.stack[0].step = None
        return twin

    @guarded_statement(None)
    def begins(self, k: int) -> None:
        """A statement begins."""
        frame = self.stack[-1]
        del frame.loops[self.tables.statements[k].depth :]
        self.seq += 1
        frame.step = Step(k, self.seq, frame)

    @guarded_statement(None)
    def ends(self, k: int) -> None:
        """A statement has ended."""
        if k in self.tables.definitions:
            self.defined(k)
        frame = self.stack[-1]
        step = frame.step
        frame.step = None
        if step is None or step.k != k:
            return
        space = self.ns if frame.number == 0 else sys._getframe(CALLER).f_locals
        if step.touched or frame.plain or self._begins_collection(k, space):
            self.guarded(self.statements.finish, step, space, None, False)

    @guarded_statement(None)
    def defined(self, k: int) -> None:
        """A definition has run."""
        if self.active and len(self.stack) == 1 and threading.get_ident() == self.thread:
            self.guarded(self.definitions.made, k)

    def _begins_collection(self, k: int, space: dict[str, Any]) -> bool:
        """Whether a statement makes an empty list or dict, in which rows may be gathered later."""
        made = [space.get(name) for name in self.tables.statements[k].binds]
        return any(isinstance(value, (list, dict)) and not value for value in made)

    @guarded_value
    def evaluates(self, k: int, value: Any) -> Any:
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
            self.guarded(self.statements.finish, step, self.ns if frame.number == 0 else {}, value, True)
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
                self.guarded(self.loops.goes_over, loop, step, value)
            frame.loops.append(loop)
        return value

    @guarded_value
    def returns(self, k: int, value: Any) -> Any:
        """A function returns."""
        frame = self.stack[-1]
        step = frame.step
        frame.step = None
        if step is not None and step.k == k and (step.touched or frame.plain):
            self.guarded(self.statements.finish, step, {}, value, True)
        return value

    @guarded_statement(False)
    def iterates(self, k: int) -> bool:
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
            self.guarded(self.loops.iteration, frame, loop, {n: space.get(n) for n in names})
        return True

    @guarded_statement(True)
    def tests_again(self, k: int) -> bool:
        """A while loop is about to test again."""
        frame = self.stack[-1]
        self.seq += 1
        frame.step = Step(k, self.seq, frame)
        return True

    @guarded_statement(None)
    def leaves_loop(self, k: int) -> None:
        """A loop is over."""
        frame = self.stack[-1]
        loops = frame.loops[self.tables.statements[k].depth :]
        if loops and loops[0].k == k and loops[0].over is not None:
            space = self.ns if frame.number == 0 else sys._getframe(CALLER).f_locals
            self.guarded(self.loops.filled, frame, loops[0], space)
        if (
            loops
            and not frame.number
            and len(loops) == len(frame.loops)
            and self.predictions.tokens
            and self.in_predict_cell()
        ):
            self.guarded(self.predictions.looped, loops[0])
        del frame.loops[self.tables.statements[k].depth :]
        frame.step = None

    @guarded_statement(False)
    def enters(self, k: int, mark: str) -> bool:
        """One of the notebook's functions is called; True if its body is to be followed. The mark only stands in its code."""
        if not self.active or threading.get_ident() != self.thread or self.calls.quiet.get(k, 0) > COLD_AFTER:
            return False
        python = sys._getframe(CALLER)
        if not self.calls.follows(python):
            return False
        self.calls.open(k, python)
        return True

    @guarded_statement(None)
    def leaves(self, k: int) -> None:
        """The function's body is over, by return or by an exception."""
        python = id(sys._getframe(CALLER))
        while len(self.stack) > 1:
            frame = self.stack.pop()
            self.stack[-1].asked = self.stack[-1].asked or frame.asked
            if frame.python == python:
                break

    @guarded_statement(False)
    def follows_lambda(self, mark: str) -> bool:
        """Tell whether a lambda's body is to be followed: its caller is the notebook itself, or it was given rows.

        The mark only stands in its code.
        """
        if not self.active or threading.get_ident() != self.thread:
            return False
        return self.stack[-1].step is not None and self.calls.follows(sys._getframe(CALLER))

    @guarded_statement(False)
    def element(self, over: int, node: int, *variables: Any) -> bool:
        """An element of a comprehension is about to be computed; True if it is to be followed."""
        step = self.stack[-1].step
        if step is None or not self.active or threading.get_ident() != self.thread:
            return False
        known = step.elements.get(node)
        if known is None:
            known = step.elements[node] = Elements(self.comprehensions.few(step, over))
        if known.followed:
            pairs = zip(variables[::2], variables[1::2], strict=True)
            known.marks.append((len(step.events), {n: v for n, v in pairs if isinstance(v, PLAIN)}))
        return known.followed

    @guarded_value
    def name(self, site: int, value: Any) -> Any:
        """A name was read."""
        step = self.stack[-1].step
        if step is None:
            return value
        step.names[site] = value
        step.log.append((site, value))
        if not isinstance(value, SCALARS):
            self.guarded(self.updates.note, step, value)
        return value

    @guarded_value
    def argument(self, site: int, value: Any) -> Any:
        """An argument has its value."""
        step = self.stack[-1].step
        if step is not None:
            step.log.append((site, value))
        return value

    key = argument

    @guarded_value
    def callee(self, site: int, func: Any) -> Any:
        """A callee is known; the few functions whose choice of rows can't be seen afterwards are asked to choose row numbers too."""
        step = self.stack[-1].step
        if step is None:
            return func
        step.log.append((site, func))
        if name_of(func) in SPLITTERS and module_of(func).startswith("sklearn."):
            return self.selections.splitting(func, step)
        return func

    @guarded_value
    def result(self, site: int, result: Any) -> Any:
        """An operation has its result."""
        step = self.stack[-1].step
        if step is None:
            return result
        if threading.get_ident() == self.thread:
            known = len(step.events)
            self.guarded(self.observer.observe, step, site, result)
            tree = self.tables.sites[site].tree
            if tree != self.tables.statements[step.k].tree:
                # In a lambda of another cell: the nodes of these events are none of the statement's.
                for event in step.events[known:]:
                    event["tree"] = tree
        return result

    def names_of(self, wanted: list[str]) -> dict[str, Any]:
        """Classify and keep the current values of global names, for functions whose bodies were not followed."""
        out = {}
        for name in wanted:
            if name in self.ns:
                value = self.ns[name]
                token = None if isinstance(value, SCALARS) else self.rows.token(value)
                if token is None:
                    out[name] = self.reads.classify(value, True)
                else:
                    out[name] = {"kind": "rows", "token": token, "snapshot": self.snapshots.take(value)}
        return out

    def finish(self) -> None:
        """Write the trace."""
        self.active = False
        writer.write(self)
        self.taken.write()


def install(folder: str, roles: dict[str, list[str]], shell: Any) -> Recorder:
    """Start recording in the running IPython shell."""
    recorder = Recorder(folder, roles, shell.user_ns)
    setattr(builtins, HOOK, recorder)
    shell.ast_transformers.append(recorder)
    return recorder
