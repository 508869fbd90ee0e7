"""The generated modules: the kept statements in the notebook's own words, captured values and frozen operations under their names."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from nb2prod.path.call_text import without_index
from nb2prod.path.captures import Captures, keys_of
from nb2prod.path.composition import (
    Classes,
    Oracle,
)
from nb2prod.path.definitions import Definitions, Use
from nb2prod.path.edits import Edit
from nb2prod.path.names_read import NamesRead
from nb2prod.path.operations_served import OperationsServed
from nb2prod.path.prediction import Prediction
from nb2prod.path.row_choices import RowChoices
from nb2prod.path.scopes import (
    Defined,
)
from nb2prod.path.walk import Walk
from nb2prod.recording.kernel.scoping import bound_in
from nb2prod.recording.trace import Step, Tree


@dataclass
class _Statements:
    """The kept statements of one tree: leaves by node, with when they ran."""

    leaves: set[ast.stmt] = field(default_factory=set)
    extra: set[ast.stmt] = field(default_factory=set)


class Composer:
    """Builds the modules for one walk. A filter that `classes` does not name is a validity rule for the time being."""

    def __init__(
        self, walk: Walk, prediction: Prediction, oracle: Oracle, predicted: frozenset[int], classes: Classes
    ) -> None:
        recording = walk.recording
        self.recording, self.walk, self.prediction, self.oracle = recording, walk, prediction, oracle
        self.predicted, self.classes = predicted, classes
        self.captures = Captures(recording)
        self.edits: dict[int, dict[int, Edit]] = {}
        self.statements: dict[int, _Statements] = {}
        self.dropped: set[ast.stmt] = set()
        self.preludes: dict[ast.stmt, dict[str, tuple[Tree, int, str]]] = {}
        """What stands before a statement: values by the names that it reads them by."""
        self.row_loops: dict[ast.stmt, list[str]] = {}
        """Loops over rows that fill lists, with the lists' names."""
        self.loops = walk.loops.served
        self.definitions = Definitions(self)
        self.choices = RowChoices(self)
        self.names = NamesRead(self)
        self.operations = OperationsServed(self)
        self._handlers = {**self.choices.handlers(), **self.operations.handlers()}

    @property
    def followed(self) -> frozenset[int]:
        """The calls of the predicting function, where one makes the prediction: its definition is served whole."""
        function = self.prediction.function
        return function.frames(self.recording) if function is not None else frozenset()

    def collect_function(self) -> None:
        """Turn what the predicting function's calls read of the notebook into edits of its definition."""
        inside = self.followed
        for step in self.recording.steps:
            if step.frame in inside and step.kind != "iteration":
                self._with_asides(step)
        self.definitions.settle()

    # collecting -----------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Turn every kept step into edits of its statement."""
        for step in self.walk.kept.values():
            if step.kind == "filled":
                self._filled(step)
        whole = {s.frame for s in self.walk.kept.values() if s.kind == "filled" and s.frame}
        beside = [
            s for f in whole for s in self.recording.by_frame[f] if s.kind == "step" and s.seq not in self.walk.kept
        ]
        for step in sorted([*self.walk.kept.values(), *beside], key=lambda s: s.seq):
            tree, node = self.recording.statement(step.k)
            if self._written_out(tree, node):
                continue
            if step.kind == "step":
                self.of(tree).leaves.add(node)
            if (tree.number, tree.index[node]) in self.walk.served.left_out:
                self.dropped.add(node)
            if step.kind != "iteration":
                self._with_asides(step)
        self.definitions.settle()

    def _with_asides(self, step: Step) -> None:
        for one in (step, *step.asides):
            self._step(one, self.recording.statement(one.k)[0])

    def _filled(self, step: Step) -> None:
        """A loop over rows that fills a list is served as it is written; what it takes from outside is captured."""
        tree, node = self.recording.statement(step.k)
        self.of(tree).leaves.add(node)
        self.row_loops.setdefault(node, []).extend(b.name for b in step.binds)
        if step.frame:
            return  # its function is served whole
        own = {b.name for b in step.binds} | bound_in(node)
        rows = {r.name for r in step.reads if not self.walk.of_training(r)}
        self.definitions.outside(tree, node, Use(step.seq, self.looped(step)), step.names, own | rows)

    def looped(self, step: Step) -> dict[str, Any]:
        """What the plain variables of kept loops of the notebook itself held when a step ran."""
        loops, frame = step.loops, step.frame
        while frame:
            loops, frame = self.recording.frames[frame].loops, self.recording.frames[frame].outer
        return {n: v for p in loops if (p.k, p.instance) in self.loops for n, v in p.keys.items()}

    def _written_out(self, tree: Tree, node: ast.AST) -> bool:
        """Whether a statement stands in a loop that is served as it is written, or is one."""
        current: ast.AST | None = node
        while current is not None:
            if current in self.row_loops:
                return True
            current = tree.parents.get(current)
        return False

    def of(self, tree: Tree) -> _Statements:
        return self.statements.setdefault(tree.number, _Statements())

    def edit(self, tree: Tree, node: int, edit: Edit) -> None:
        """Have an expression replaced, unless it is already."""
        self.edits.setdefault(tree.number, {}).setdefault(node, edit)

    def _step(self, step: Step, tree: Tree) -> None:
        keys = keys_of(self.recording, step, self.loops)
        replaced = self.walk.replaced(step)
        covered = {
            tree.index[n] for r in replaced for n in ast.walk(tree.nodes[r]) if n in tree.index and tree.index[n] != r
        }
        outside = self.walk.unwanted(step, tree)
        covered |= self._left_to_frozen(step, tree)
        nested = self.choices.inside_conditions(step, tree)
        kept = self.walk.of_kept(tree.number)
        for event in step.events:
            if event.get("node") in covered or event.get("node") in outside or event.get("node") in kept:
                continue
            if event["kind"] in ("filter", "select", "order") and event["node"] in nested:
                continue
            handle = self._handlers.get(event["kind"])
            if handle is not None:
                handle(step, tree, event, {**keys, **event.get("keys", {})})
        covered |= set(replaced) | outside | self.choices.covered(step, tree, nested)
        covered |= self._labels(step, tree, covered)
        for read in step.reads:
            if read.node not in covered or read.node in kept:
                self.names.read(step, tree, read, keys)

    def taken(self, tree: Tree, node: ast.stmt) -> None:
        """A statement that makes a function (``share = shares_of(df["a"].max())``) is served outside of the path: what it took of rows is captured."""
        if not isinstance(node, ast.Assign):
            return
        done = [s for s in self.recording.steps if s.kind == "step" and self.recording.statement(s.k) == (tree, node)]
        for step in done[-1:]:
            covered = self.walk.covered(step) - set(self.walk.replaced(step))
            for event in step.events:
                if event["kind"] == "boundary" and event["node"] not in covered:
                    self.operations.on_boundary(step, tree, event, keys_of(self.recording, step, self.loops))

    def _labels(self, step: Step, tree: Tree, covered: set[int]) -> set[int]:
        """``pd.Series(answers, index=labels)``: training's labels, kept in a variable, are none of a request's rows."""
        values = {r.node: r for r in step.reads if r.kind == "value"}
        rows = {r.node for r in step.reads if r.kind in ("rows", "container")}
        gone: set[int] = set()
        for node in ast.walk(self.recording.statement(step.k)[1]):
            if (
                not isinstance(node, ast.Call)
                or tree.index[node] in covered
                or not isinstance(node.func, ast.Attribute)
            ):
                continue
            labels = [k for k in node.keywords if k.arg == "index" and tree.index.get(k.value) in values]
            made_of_rows = any(tree.index.get(n) in rows for a in node.args for n in ast.walk(a))
            if node.func.attr in ("Series", "DataFrame") and labels and made_of_rows:
                gone |= {tree.index[k.value] for k in labels}
                self.edit(tree, tree.index[node], lambda r, n=node: without_index(r, n))  # type: ignore[misc]
        return gone

    def _left_to_frozen(self, step: Step, tree: Tree) -> set[int]:
        """Inside a function given to a frozen operation nothing is replaced: its state holds what the function asked of training."""
        inside: set[int] = set()
        for event in step.events:
            if event["kind"] == "frozen" and not event["receiver_is_state"] and not self.walk.is_live(step, event):
                for node in ast.walk(tree.nodes[event["node"]]):
                    if isinstance(node, ast.Lambda):
                        inside |= {
                            tree.index[n]
                            for n in ast.walk(node.body)
                            if n in tree.index and not isinstance(n, ast.Name)
                        }
        return inside

    def rounds(self, tree: Tree, node: ast.For) -> list[dict[str, Any]] | None:
        """What a loop's plain variables held in each round, for a loop over something that can't be kept: a generator of splits, training's tables."""
        for step in self.walk.kept.values():
            if step.kind != "header" or self.recording.statement(step.k) != (tree, node):
                continue
            generated = any(e["kind"] == "boundary" and e.get("type") == "generator" for e in step.events)
            if not generated and not any(self.walk.idle(read) for read in step.reads):
                return None
            places = [
                p
                for s in self.recording.by_frame.get(step.frame, [])
                for p in s.loops
                if p.k == step.k and (p.k, p.instance) in self.loops
            ]
            by_round = {p.iteration: p.keys for p in places if p.instance == places[-1].instance}
            return [by_round.get(i, {}) for i in range(max(by_round, default=-1) + 1)]
        return None

    def traced(self, found: Defined) -> bool:
        """Tell whether the function's body was followed on the path; else it is kept whole.

        Of one that was only called with plain values (once for each element of a column, say) some calls may have asked a table by its name;
        the others took other ways through it.
        """
        if any(node in self.row_loops for node in ast.walk(found.node) if isinstance(node, ast.stmt)):
            return False
        touched = {s.frame for s in self.walk.kept.values() if s.kind == "step"} & self.walk.frames
        followed = [self.recording.frames[frame] for frame in touched]
        return found.node in {self.recording.statement(info.k)[1] for info in followed if not info.asks}

    def kept_in(self, found: Defined) -> set[ast.stmt]:
        inside = set(ast.walk(found.node))
        of = self.of(found.tree)
        return {s for s in of.leaves | of.extra if s in inside}
