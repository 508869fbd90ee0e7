"""The walk back: from the prediction through row-carrying values only, to the raw table.

Every step that made, changed or renamed the rows that the prediction stands on is kept; what else those steps read is a captured value.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nb2prod.path.choice_nodes import choice_nodes, subtrees
from nb2prod.path.kept_loops import KeptLoops
from nb2prod.recording.trace import Bind, FrameInfo, Read, Recording, Step, Table, Tree

REPLACING = ("boundary", "root")


@dataclass(frozen=True)
class Served:
    """How operations that look at the rows beside a row are served, where not with what they found in the recorded run.

    `live`: the places (tree and node) that are served as they are written; `states`: the snapshot that takes the place of another; `skipping`: loops
    over tables pass by those of which a request has no row; `left_out`: statements (tree and node) that write into rows of training's by their labels; `kept`: names (tree and node) by which lambdas ask tables, that are served as they were in the recorded run.
    """

    live: frozenset[tuple[int, int]] = frozenset()
    states: Mapping[int, int] = field(default_factory=dict)
    skipping: bool = False
    left_out: frozenset[tuple[int, int]] = frozenset()
    kept: frozenset[tuple[int, int]] = frozenset()


@dataclass
class Walk:
    """The kept steps, and for each static statement what was seen of it on the path."""

    recording: Recording
    table: Table
    kept: dict[int, Step] = field(default_factory=dict)
    frames: set[int] = field(default_factory=set)

    # asking ---------------------------------------------------------------------------------------------------------

    @cached_property
    def loops(self) -> KeptLoops:
        """The loops and branches around what is kept."""
        return KeptLoops(self)

    def carries(self, lineage: int | None) -> bool:
        """Tell whether a value with this lineage has entries from the raw table."""
        if lineage is None:
            return False
        rows = self.recording.rows_of(lineage, self.table.number)
        return rows is not None and bool((rows >= 0).any())

    def replaced(self, step: Step) -> list[int]:
        """The nodes of a step whose whole expression gives way to something captured: boundaries, tables, lookups elsewhere."""
        scope = self._scope_of(step)
        return [
            e["node"]
            for e in step.events
            if (
                (e["kind"] in REPLACING and not self.is_live(step, e))
                or (e["kind"] == "lookup" and self.is_lookup(e))
                or (e["kind"] == "row" and not self.serves_row(e))
            )
            and (scope is None or e["node"] in scope)
        ]

    def is_live(self, step: Step, event: dict[str, Any]) -> bool:
        """Whether an operation is served as it is written, whatever it found in the recorded run."""
        if event["kind"] == "boundary" and self.one_row and event["from"]:
            # Made of the one row that is predicted itself, it is made of each row that is asked for.
            rows = [self.recording.rows_of(lineage, self.table.number) for lineage in event["from"]]
            single = all(self.recording.is_single(lineage) for lineage in event["from"])
            if single and all(r is not None and set(r.tolist()) == self.one_row for r in rows):
                return True
        tree = self.recording.statements[step.k].tree
        return (tree, event["node"]) in self.served.live or event["node"] in self.of_kept(tree)

    def of_kept(self, number: int) -> set[int]:
        """The expressions of a tree, inside of lambdas, that are made of tables which are kept whole."""
        tree = self.recording.trees[number]
        found = set()
        for node in (n for t, n in self.served.kept if t == number):
            current = tree.nodes[node]
            while isinstance(current, ast.expr) and not isinstance(current, ast.Lambda):
                found.add(tree.index[current])
                current = tree.parents[current]
        return found

    served: Served = Served()

    def _scope_of(self, step: Step) -> set[int] | None:
        root = self.scope.get(step.seq)
        if root is None:
            return None
        return subtrees(self.recording.trees[self.recording.statements[step.k].tree], [root])

    def covered(self, step: Step) -> set[int]:
        """The nodes of a step that the service does not run: inside what is replaced, or outside the part that is wanted."""
        tree = self.recording.trees[self.recording.statements[step.k].tree]
        return subtrees(tree, self.replaced(step)) | self.unwanted(step, tree)

    def is_lookup(self, event: dict[str, Any]) -> bool:
        """Rows of another table that are only looked up in."""
        return not self.carries(event["of"])

    def serves_row(self, event: dict[str, Any]) -> bool:
        """One row taken out, and it is the one that is predicted: a request's row takes its place. Else it is a constant of training's."""
        rows = self.recording.rows_of(event["after"], self.table.number)
        return rows is not None and len(self.one_row) == 1 and set(rows.tolist()) == self.one_row

    one_row: frozenset[int] = frozenset()
    """The only predicted row, where the notebook predicted one alone."""

    def needed_reads(self, step: Step, within: int | None = None) -> list[Read]:
        """The names of rows (or containers of them) that a step really needs, outside what is replaced."""
        tree = self.recording.trees[self.recording.statements[step.k].tree]
        gone = self.covered(step)
        only = subtrees(tree, [within]) if within is not None else None
        return [
            r
            for r in step.reads
            if r.kind in ("rows", "container")
            and r.node not in gone
            and (only is None or r.node in only)
            and not self.idle(r)
            and not (step.kind == "filled" and self.of_training(r))
        ]

    def of_training(self, read: Read) -> bool:
        """Whether a variable holds rows of training alone: a loop over predicted rows that reads it has it as a value (a model by hand, its neighbours)."""
        return read.kind == "rows" and bool(self.held) and not self._is_held(read.lineage)

    def is_beside(self, lineage: int | None) -> bool:
        """Whether rows are none of those that were predicted: a request has none of them."""
        if lineage is None or not self.held:
            return False
        rows = self.recording.rows_of(lineage, self.table.number)
        return rows is None or not self.held.intersection(rows.tolist())

    def idle(self, read: Read) -> bool:
        """Whether a list or dict holds rows of training alone (its encoders are kept with the rows that they were fitted on): no request has any."""
        if read.kind != "container" or not self.held:
            return False
        known = [self._lineages.get(token) for token in read.tokens if token in self._lineages]
        return bool(known) and not any(self._is_held(lineage) for lineage in known)

    def goes_over_tables(self, node: ast.stmt) -> bool:
        """Whether a kept loop has a table as its variable."""
        return any(s.kind == "iteration" and self.recording.statement(s.k)[1] is node for s in self.kept.values())

    def _is_held(self, lineage: int | None) -> bool:
        rows = self.recording.rows_of(lineage, self.table.number) if lineage is not None else None
        return rows is None or bool(self.held.intersection(rows.tolist()))

    @cached_property
    def _lineages(self) -> dict[int, int | None]:
        """The lineage of each value that a statement bound, by token."""
        return {b.token: b.lineage for s in self.recording.steps for b in s.binds if b.token is not None}

    held: frozenset[int] = frozenset()
    """The predicted rows."""

    def unwanted(self, step: Step, tree: Tree) -> set[int]:
        """What a row mask or the other arrays of a split read is not needed where the choice is not made while serving."""
        scope = self._scope_of(step)
        gone: set[int] = set() if scope is None else set(range(len(tree.nodes))) - scope
        conditions = self._conditions(step, tree)
        for event in step.events:
            if event["node"] in conditions:
                continue
            if event["kind"] == "split":
                gone |= self._splitunwanted(step, tree, event)
            elif (event["kind"] in ("select", "order", "row") and self.carries(event["before"])) or (
                event["kind"] == "filter"
                and self.carries(event["before"])
                and event["node"] in self.identity.get(step.k, set())
            ):
                gone |= subtrees(tree, choice_nodes(tree, event))
        return gone

    def _conditions(self, step: Step, tree: Tree) -> set[int]:
        """The conditions of filters that are served: ``df.drop(df[high(df)].index)`` chooses inside one, which stays as it is."""
        kept = [
            index
            for event in step.events
            if event["kind"] == "filter"
            and self.carries(event["before"])
            and event["node"] not in self.identity.get(step.k, set())
            for index in choice_nodes(tree, event)
        ]
        return subtrees(tree, kept)

    scope: dict[int, int] = field(default_factory=dict)
    """The one expression of a step that is wanted, by the step's number: a prediction inside a larger statement."""

    identity: dict[int, set[int]] = field(default_factory=dict)
    """Filters served as the identity, by statement: what their conditions read is not needed."""

    def _splitunwanted(self, step: Step, tree: Tree, event: dict[str, Any]) -> set[int]:
        call = tree.nodes[event["node"]]
        assert isinstance(call, ast.Call)
        gone = subtrees(tree, [tree.index[k.value] for k in call.keywords])
        wanted = self.split_wanted(step, tree, event)
        if wanted is None:
            return gone
        each = len(event["after"]) // max(len(call.args), 1)
        for i, arg in enumerate(call.args):
            if not any(j // each == i for j in wanted):
                gone |= subtrees(tree, [tree.index[arg]])
        return gone

    def split_wanted(self, step: Step, tree: Tree, event: dict[str, Any]) -> set[int] | None:
        """Which parts of a split the path uses: positions in its result, None where they can't be told apart."""
        statement = tree.nodes[self.recording.statements[step.k].node]
        if (
            not isinstance(statement, ast.Assign)
            or len(statement.targets) != 1
            or statement.value is not tree.nodes[event["node"]]
        ):
            return None
        target = statement.targets[0]
        if not isinstance(target, (ast.Tuple, ast.List)) or not all(isinstance(e, ast.Name) for e in target.elts):
            return None
        names = [e.id for e in target.elts if isinstance(e, ast.Name)]
        wanted = self.wanted_names.get(step.k, set())
        return {i for i, n in enumerate(names) if n in wanted} if wanted else None

    wanted_names: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    # walking --------------------------------------------------------------------------------------------------------

    def run(self, step: Step, within: int | None = None) -> None:
        """Keep everything that the rows read by `step` (or by one expression of it) stand on."""
        self.waiting: list[tuple[Step, Read]] = [(step, r) for r in self.needed_reads(step, within)]
        self.keep_calls(step, within)
        self._drain()

    def keep(self, step: Step) -> None:
        """Keep `step` and everything that its rows stand on."""
        self.waiting = []
        self.keep_alone(step)
        self._drain()

    def _drain(self) -> None:
        done: set[tuple[int, int, str]] = set()
        while True:
            while self.waiting:
                step, read = self.waiting.pop()
                mark = (step.seq, read.node, read.name)
                if mark not in done:
                    done.add(mark)
                    self._resolve(step, read)
            if not self.loops.close():
                return

    def _resolve(self, step: Step, read: Read) -> None:
        tokens = read.carried
        frame = step.frame
        binder = self.binder(frame, read.name, tokens, step.seq)
        if binder is None and frame:
            info = self.recording.frames[frame]
            if read.name in info.rows or self._is_parameter(info, read.name):
                self._updates(tokens, self._opened(info), step.seq)
                self._caller(info)
                return
            binder = self.binder(0, read.name, tokens, step.seq)
        if binder is None:
            return  # a lambda's parameter, a comprehension's variable: bound by the statement itself
        bound, _ = binder
        self.wanted_names[bound.k].add(read.name)
        fresh = bound.seq not in self.kept
        self.keep_alone(bound)
        self._bound_inside(bound, read.name, tokens)
        if not fresh and bound.event("split") is not None:
            self._requeue(bound)
        self._updates(tokens, bound.seq, step.seq)

    def _bound_inside(self, step: Step, name: str, tokens: set[int]) -> None:
        """Keep what binds a variable of the notebook in the functions that the statement calls (``global df``)."""
        for info in self.recording.calls.get(step.seq, []):
            for inner in self.recording.by_frame.get(info.frame, []):
                if any(bind.gives(name, tokens) for bind in inner.binds):
                    self.keep_alone(inner)
                self._bound_inside(inner, name, tokens)

    def _requeue(self, step: Step) -> None:
        self.waiting.extend((step, r) for r in self.needed_reads(step))

    def _opened(self, info: FrameInfo) -> int:
        return info.parent if info.parent is not None else -1

    def _is_parameter(self, info: FrameInfo, name: str) -> bool:
        _, node = self.recording.statement(info.k)
        if not isinstance(node, ast.FunctionDef):
            return False
        args = node.args
        return name in {a.arg for a in [*args.posonlyargs, *args.args, *args.kwonlyargs]}

    def _caller(self, info: FrameInfo) -> None:
        parent = self.recording.by_seq.get(info.parent) if info.parent is not None else None
        if parent is not None:
            self.keep_alone(parent)

    def binder(self, frame: int, name: str, tokens: set[int], before: int) -> tuple[Step, Bind] | None:
        best: tuple[Step, Bind] | None = None
        for step in self.recording.by_frame.get(frame, ()):
            if step.seq >= before:
                break
            for bind in step.binds:
                if bind.gives(name, tokens):
                    best = (step, bind)
        return best

    def _updates(self, tokens: set[int], after: int, before: int) -> None:
        for step in self.recording.steps:
            if after < step.seq < before and step.updates & tokens and step.kind != "iteration":
                self.keep_alone(step)

    def keep_alone(self, step: Step) -> None:
        if step.seq in self.kept:
            return
        self.kept[step.seq] = step
        self.waiting.extend((step, r) for r in self.needed_reads(step))
        self.loops.keep_headers(step)
        self.keep_calls(step, None)
        if step.frame:
            self._enter(step.frame)

    def _enter(self, frame: int) -> None:
        if frame in self.frames:
            return
        self.frames.add(frame)
        info = self.recording.frames[frame]
        self._caller(info)
        for step in reversed(self.recording.by_frame.get(frame, [])):
            _, node = self.recording.statement(step.k)
            if isinstance(node, ast.Return):
                self.keep_alone(step)
                break

    def keep_calls(self, step: Step, within: int | None) -> None:
        tree = self.recording.trees[self.recording.statements[step.k].tree]
        gone = self.covered(step)
        only = subtrees(tree, [within]) if within is not None else None
        for info in self.recording.calls.get(step.seq, []):
            if (info.node is not None and info.node in gone) or (only is not None and info.node not in only):
                continue
            self._enter(info.frame)
