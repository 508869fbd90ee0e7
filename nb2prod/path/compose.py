"""The generated modules: the kept statements in the notebook's own words, captured values and frozen operations under their names."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from nb2prod.path.call_text import all_rows_text, asked_text, call_text, without_index
from nb2prod.path.captures import CapturedValue, Captures, Occurrence, keys_of, telling_name
from nb2prod.path.definitions import Definitions, Use
from nb2prod.path.edits import Edit, Patcher, Render
from nb2prod.path.prediction import Prediction
from nb2prod.path.scopes import (
    Defined,
    binds_in_target,
    binds_name,
    bound_around,
    calls_of,
    changes_in_place,
    free_names,
    local_names,
    parameters,
)
from nb2prod.path.walk import Walk, choice_nodes
from nb2prod.recording.kernel.scoping import bound_in
from nb2prod.recording.trace import Place, Read, Step, Tree

FITTING = frozenset({"fit", "partial_fit", "fit_transform", "fit_predict", "train", "fit_resample"})
TRAINING_ONLY, VALIDITY, EVERY, NONE = "training-only", "validity", "every row", "no row"
PARTIAL = "some rows"
"""A choice of some of the predicted rows, for which something is computed apart: it is made while serving as it stands."""


class Oracle(Protocol):
    """What the composer may ask of the kernel."""

    def globals(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """Classify the current values of global names, taking snapshots of plain values."""

    def empty_table(self, table: int) -> int:
        """A snapshot of a table without its rows."""


@dataclass(frozen=True)
class FilterUse:
    """One filter or selection on the path and how it is served."""

    id: str
    cell: int | None
    line: int | None
    source: str
    operation: str
    klass: str
    tags: frozenset[str]
    before: int
    after: int
    rule: str
    """What a refused row is told: cell, line and condition."""


@dataclass(frozen=True)
class FrozenUse:
    """One frozen operation on the path."""

    op: str
    rule: str
    phrase: str
    cell: int | None
    line: int | None
    source: str


@dataclass(frozen=True)
class Composition:
    """The two modules, and what they were made of."""

    features: str
    predict: str
    captured: tuple[CapturedValue, ...]
    filters: tuple[FilterUse, ...]
    frozen: tuple[FrozenUse, ...]
    imports: frozenset[str]
    lines: tuple[tuple[int, int, str], ...]
    argument: str | None
    returns: tuple[str, ...]


@dataclass(frozen=True)
class Classes:
    """How filters are served: `settled` by filter id, as the trials showed; `told` by cell.line, as the user or the tags say."""

    settled: dict[str, str]
    told: dict[str, str]
    otherwise: str = VALIDITY


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
        self._ids: dict[str, list[int]] = {}
        self._rows: dict[int, set[int]] = {}
        self.partial: set[tuple[int, int]] = set()
        self.holding = self._holding()
        self.captures = Captures(recording)
        self.edits: dict[int, dict[int, Edit]] = {}
        self.filters: dict[str, FilterUse] = {}
        self.frozen: list[FrozenUse] = []
        self.statements: dict[int, _Statements] = {}
        self.dropped: set[ast.stmt] = set()
        self.preludes: dict[ast.stmt, dict[str, tuple[Tree, int, str]]] = {}
        """What stands before a statement: values by the names that it reads them by."""
        self.row_loops: dict[ast.stmt, list[str]] = {}
        """Loops over rows that fill lists, with the lists' names."""
        self.splits: dict[ast.stmt, tuple[Step, dict[str, Any]]] = {}
        self.loops = walk.kept_loops
        self.definitions = Definitions(self)

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
        self.definitions.outside(tree, node, Use(step.seq, self._looped(step)), step.names, own | rows)

    def _looped(self, step: Step) -> dict[str, Any]:
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
        nested = self._inside_conditions(step, tree)
        for event in step.events:
            if event.get("node") in covered or event.get("node") in outside:
                continue
            if event["kind"] in ("filter", "select", "order") and event["node"] in nested:
                continue
            method: Callable[..., None] | None = getattr(self, f"_on_{event['kind']}", None)
            if method is not None:
                method(step, tree, event, {**keys, **event.get("keys", {})})
        covered |= set(replaced) | outside | self._covered_choices(step, tree, nested)
        covered |= self._labels(step, tree, covered)
        for read in step.reads:
            if read.node not in covered:
                self._read(step, tree, read, keys)

    def taken(self, tree: Tree, node: ast.stmt) -> None:
        """A statement that makes a function (``share = shares_of(df["a"].max())``) is served outside of the path: what it took of rows is captured."""
        if not isinstance(node, ast.Assign):
            return
        done = [s for s in self.recording.steps if s.kind == "step" and self.recording.statement(s.k) == (tree, node)]
        for step in done[-1:]:
            covered = self.walk.covered(step) - set(self.walk.replaced(step))
            for event in step.events:
                if event["kind"] == "boundary" and event["node"] not in covered:
                    self._on_boundary(step, tree, event, keys_of(self.recording, step, self.loops))

    def _inside_conditions(self, step: Step, tree: Tree) -> set[int]:
        """``df.drop(df[df.x > 5].index)``: the inner choice is the outer one's condition and stays as it is."""
        inside: set[int] = set()
        for event in step.events:
            if event["kind"] == "filter" and self._held(event["before"]):
                for index in choice_nodes(tree, event):
                    inside |= {tree.index[n] for n in ast.walk(tree.nodes[index]) if n in tree.index}
        return inside

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

    def _covered_choices(self, step: Step, tree: Tree, nested: set[int]) -> set[int]:
        """What only says which rows, in choices that the service does not make; those `nested` in another's condition are made."""
        out: set[int] = set()
        for event in step.events:
            if event["node"] in nested:
                continue
            row = event["kind"] == "row" and self.walk.serves_row(event)
            if row or (event["kind"] in ("filter", "select", "order") and self.mode(tree, event) != VALIDITY):
                for index in choice_nodes(tree, event):
                    out |= {tree.index[n] for n in ast.walk(tree.nodes[index]) if n in tree.index}
        return out

    # reads ----------------------------------------------------------------------------------------------------------

    def _read(self, step: Step, tree: Tree, read: Read, keys: dict[str, Any]) -> None:
        node = tree.nodes[read.node]
        if read.kind in ("module", "import"):
            self.definitions.need(read.name, tree.number)
            return
        if read.kind in ("function", "class"):
            if not self._own_variable(step, tree, node, read.name):
                use = Use(step.seq, self._looped(step), read.state)
                self.definitions.use(tree, read.node, read.name, use)
            return
        if read.kind == "rows" and read.snapshot is not None and self.walk.is_beside(read.lineage):
            self._table_asked(step, tree, read, keys)
            return
        if read.kind != "value" or bound_around(tree, node, read.name) or self._live(step, tree, read.name):
            return
        if read.snapshot is None:
            return
        reason = f"read by the serving path as {read.name}"
        loop = self._carried_in(step, read)
        if loop is not None:
            site = (tree, read.node, f"start {read.name}")
            outer = keys_of(self.recording, step, self.loops - {(loop.k, loop.instance)})
            self.captures.add(*site, (read.name, reason), Occurrence(step.seq, read.snapshot, outer))
            self.preludes.setdefault(self.recording.statement(loop.k)[1], {})[read.name] = site
        if loop is not None or isinstance(getattr(node, "ctx", None), ast.Store):
            return
        self.captures.add(tree, read.node, "read", (read.name, reason), Occurrence(step.seq, read.snapshot, keys))
        beside = self._written_beside_rows(step, tree, node) if self._labelled(read) else None
        self.edit(tree, read.node, lambda r, t=tree, n=read.node: self._read_text(r, t, n, beside))  # type: ignore[misc]

    def _table_asked(self, step: Step, tree: Tree, read: Read, keys: dict[str, Any]) -> None:
        """A branch that no row took asks a table of which a request has no rows: what it will ask is not known, so the table is kept."""
        assert read.snapshot is not None
        reason = f"a table that a branch which did not run asks by its name, {read.name}"
        self.captures.add(tree, read.node, "read", (read.name, reason), Occurrence(step.seq, read.snapshot, keys))
        self.edit(tree, read.node, lambda _, t=tree, n=read.node: self.captures.reference(t, n, "read"))  # type: ignore[misc]

    def _own_variable(self, step: Step, tree: Tree, node: ast.AST, name: str) -> bool:
        """Whether a name is a parameter, a local, or the variable of a kept loop or comprehension around it: the served code has it itself."""
        if bound_around(tree, node, name):
            return True
        if step.frame:
            _, function = self.recording.statement(self.recording.frames[step.frame].k)
            if isinstance(function, ast.FunctionDef) and name in local_names(function):
                return True
        kept = [self.recording.statement(p.k)[1] for p in step.loops if (p.k, p.instance) in self.loops]
        return any(binds_in_target(loop, name) for loop in kept)

    def _carried_in(self, step: Step, read: Read) -> Place | None:
        """The loop whose later rounds read rows by this name (``total = 0``, then ``total = total + model.predict(X)`` in each round)."""
        kept = [place for place in step.loops if (place.k, place.instance) in self.loops]
        if step.frame or not kept:
            return None
        loop = kept[-1]
        rounds = [s for s in self.walk.kept.values() if s.k == step.k and _in_loop(s, loop)]
        carried = any(r.node == read.node and r.kind == "rows" for s in rounds for r in s.reads)
        return loop if carried else None

    def _read_text(self, render: Render, tree: Tree, node: int, beside: ast.AST | None) -> str:
        text = self.captures.reference(tree, node, "read")
        return text if beside is None else f"rules.beside({text}, {render(beside)})"

    def _labelled(self, read: Read) -> bool:
        snapshot = self.recording.snapshots.get(read.snapshot or 0, {})
        return str(snapshot.get("type", "")).endswith(".Series")

    def _written_beside_rows(self, step: Step, tree: Tree, node: ast.AST) -> ast.AST | None:
        """``df["x"] = labels``: the table that a Series which is none of rows is written into, if the node is such a Series."""
        statement = tree.parents.get(node)
        if not isinstance(statement, ast.Assign) or statement.value is not node or len(statement.targets) != 1:
            return None
        target = statement.targets[0]
        if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
            return None
        rows = {r.node for r in step.reads if r.kind == "rows"}
        return target.value if tree.index.get(target.value) in rows else None

    def _live(self, step: Step, tree: Tree, name: str) -> bool:
        """Tell whether the served code has the variable itself: a kept loop's, a parameter, a local that touched no rows, the answer for a row."""
        if self._answers(step, name):
            return True
        for place in step.loops:
            if (place.k, place.instance) in self.loops and name in place.keys:
                return True
        if not step.frame:
            return False
        _, function = self.recording.statement(self.recording.frames[step.frame].k)
        if not isinstance(function, ast.FunctionDef) or name not in local_names(function):
            return False
        if step.frame in self.followed:
            return True
        if name in parameters(function):
            return not self._trained_here(step, name)
        return self._live_local(step, tree, function, name)

    def _answers(self, step: Step, name: str) -> bool:
        """Whether an earlier step of the prediction binds this name to the answer for one row."""
        before = [s for s in self.prediction.steps if s.seq < step.seq]
        bound = [e for s in before for e in s.events if e["kind"] == "bound" and e["token"] is None]
        return not step.frame and any(event["name"] == name for event in bound)

    def _trained_here(self, step: Step, name: str) -> bool:
        """Tell whether the call fitted what this parameter holds before this step read it: then its state is training's."""
        for other in self.recording.by_frame.get(step.frame, []):
            if other.seq >= step.seq:
                return False
            for node in ast.walk(self.recording.statement(other.k)[1]):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == name
                    and node.func.attr in FITTING
                ):
                    return True
        return False

    def _live_local(self, step: Step, tree: Tree, function: ast.FunctionDef, name: str) -> bool:
        touched = {
            id(self.recording.statement(s.k)[1])
            for s in self.recording.by_frame.get(step.frame, [])
            if s.kind == "step"
        }
        binders = [s for s in ast.walk(function) if isinstance(s, ast.stmt) and binds_name(s, name)]
        if not binders or any(id(b) in touched for b in binders):
            return False
        if changes_in_place(function, name) or calls_of(function, name) & FITTING:
            return False
        own = local_names(function)
        for binder in binders:
            value = getattr(binder, "value", None)
            if value is None or any(n in own and n not in parameters(function) for n in free_names(value)):
                return False
        for binder in binders:
            self.of(tree).extra.add(binder)
        return True

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

    # events ---------------------------------------------------------------------------------------------------------

    def _on_boundary(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        if event.get("snapshot") is None or self.walk.is_live(step, event):
            return
        node = tree.nodes[event["node"]]
        what = ast.unparse(node)
        reason = f"computed from all of training's rows: {what if len(what) <= 80 else what[:77] + '...'}"
        self.captures.add(
            tree, event["node"], "boundary", (telling_name(node), reason), Occurrence(step.seq, event["snapshot"], keys)
        )
        self.edit(tree, event["node"], lambda _, t=tree, n=event["node"]: self.captures.reference(t, n, "boundary"))  # type: ignore[misc]

    def _on_row(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        """One row taken out: the request's, where it is the one that is predicted."""
        if not self.walk.serves_row(event):
            self._on_boundary(step, tree, event, keys)
            return
        node = tree.nodes[event["node"]]
        self.edit(tree, event["node"], lambda r: f"rules.one_row({all_rows_text(r, node)})")

    def _on_mention(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        """A variable that a query's text names must be there under its name."""
        statement = self.recording.statement(step.k)[1]
        name = event["name"]
        if event.get("snapshot") is None or any(name in place.keys for place in step.loops):
            return
        named = (name, f"named in the text of {ast.unparse(tree.nodes[event['node']])[:60]}")
        self.captures.add(tree, event["node"], f"mention {name}", named, Occurrence(step.seq, event["snapshot"], keys))
        self.preludes.setdefault(statement, {})[name] = (tree, event["node"], f"mention {name}")

    def _on_lookup(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        if not self.walk.is_lookup(event) or event.get("snapshot") is None:
            return
        node = tree.nodes[event["node"]]
        reason = f"a table that the path only looks up in: {ast.unparse(node)[:80]}"
        self.captures.add(
            tree, event["node"], "lookup", (telling_name(node), reason), Occurrence(step.seq, event["snapshot"], keys)
        )
        self.edit(tree, event["node"], lambda _, t=tree, n=event["node"]: self.captures.reference(t, n, "lookup"))  # type: ignore[misc]

    def _on_root(self, _step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        table = self.recording.tables[event["table"]]
        if table.number != self.walk.table.number:
            snapshot = self.oracle.empty_table(table.number)
            cell = tree.cell.number if tree.cell else None
            value = self.captures.fixed(
                f"{table.name or 'table'}_without_rows",
                snapshot,
                "another table on the path: its columns, without its rows",
                cell,
                tree.line(tree.nodes[event["node"]]),
            )
            self.edit(tree, event["node"], lambda _: f"captured.{value.name}")
            return
        form, columns = event.get("form"), event.get("columns")
        if form == "pair":
            names = [c for c in table.columns if c != table.target]
            text = f"(rules.part(rows, {names!r}, 'array'), rules.part(rows, {[table.target]!r}, 'vector'))"
        elif columns is None or (list(columns) == list(table.columns) and form == "frame"):
            text = "rows" if form != "array" else f"rules.part(rows, {list(table.columns)!r}, 'array')"
        else:
            text = f"rules.part(rows, {list(columns)!r}, {form!r})"
            if event.get("shape"):
                text += f".reshape({(-1, *event['shape'])!r})"
        self.edit(tree, event["node"], lambda _: text)

    def _on_count(self, step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        """A variable that holds the number of training's rows, where an array with an entry for each row is made."""
        if not step.frame:
            self.edit(tree, event["node"], lambda _: "len(rows)")

    def _on_frozen(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        node = tree.nodes[event["node"]]
        if event.get("snapshot") is None or self.walk.is_live(step, event):
            return
        snapshot = self.walk.served.states.get(event["snapshot"], event["snapshot"])
        cell = tree.cell.number if tree.cell else None
        use = FrozenUse(event["op"], event["rule"], event["phrase"], cell, tree.line(node), ast.unparse(node)[:160])
        if use not in self.frozen:
            self.frozen.append(use)
        wish = event.get("name") or event["op"]
        self.captures.add(tree, event["node"], "frozen", (wish, event["phrase"]), Occurrence(step.seq, snapshot, keys))
        self.edit(tree, event["node"], lambda r, s=step, t=tree, e=event: self._frozen_text(r, s, t, e))  # type: ignore[misc]

    def _frozen_text(self, render: Render, step: Step, tree: Tree, event: dict[str, Any]) -> str:
        node = tree.nodes[event["node"]]
        state = self.captures.reference(tree, event["node"], "frozen")
        if isinstance(node, ast.Attribute):
            return f"frozen.{event['op']}({state}, {render(node.value)})"
        assert isinstance(node, ast.Call)
        if event["receiver_is_state"]:
            first = node.args[0] if node.args else node.keywords[0].value
            if event.get("lineage") is not None and not self.predicted <= self._held(event["lineage"]):
                return f"rules.asked({state}.{event['op']}, {render(first)})"
            return f"{state}.{event['op']}({render(first)})"
        parts = [state]
        if isinstance(node.func, ast.Attribute) and not self._is_module(step, tree, node.func.value):
            parts.append(render(node.func.value))
        piped = isinstance(node.func, ast.Attribute) and node.func.attr == "pipe" != event["op"]
        parts += [render(a) for a in node.args[1 if piped else 0 :]]
        parts += [f"{k.arg}={render(k.value)}" if k.arg else f"**{render(k.value)}" for k in node.keywords]
        return f"frozen.{event['op']}({', '.join(parts)})"

    def _is_module(self, step: Step, tree: Tree, node: ast.AST) -> bool:
        while isinstance(node, ast.Attribute):
            node = node.value
        index = tree.index.get(node)
        return any(
            (r.node == index and r.kind in ("module", "class"))
            or (r.node == index and r.kind == "import" and r.qualname)
            for r in step.reads
        )

    def _holding(self) -> set[tuple[int, int]]:
        """The choices of rows whose result held predicted rows in some execution."""
        found: set[tuple[int, int]] = set()
        for step in self.recording.steps:
            for event in step.events:
                if (
                    event["kind"] not in ("filter", "select", "order")
                    or not self._held(event["after"]) & self.predicted
                ):
                    continue
                place = (self.recording.statements[step.k].tree, event["node"])
                found.add(place)
                if event["kind"] == "filter" and (self._held(event["before"]) & self.predicted) - self._held(
                    event["after"]
                ):
                    self.partial.add(place)
        return found

    def mode(self, tree: Tree, event: dict[str, Any]) -> str:
        """How a choice of rows is served."""
        if (tree.number, event["node"]) not in self.holding:
            return NONE if self._held(event["before"]) else EVERY
        if event["kind"] in ("select", "order"):
            return EVERY
        if "table" in event:  # it went through groups or rows: what becomes of a row depends on the others
            return TRAINING_ONLY
        if (tree.number, event["node"]) in self.partial:
            return PARTIAL
        identity = self.filter_id(tree, event["node"])
        told = self.classes.told.get(identity.rstrip("abcdefghijklmnopqrstuvwxyz"), self.classes.otherwise)
        return self.classes.settled.get(identity, told)

    def _held(self, lineage: int) -> set[int]:
        if lineage not in self._rows:
            rows = self.recording.rows_of(lineage, self.walk.table.number)
            self._rows[lineage] = set(rows[rows >= 0].tolist()) if rows is not None else set()
        return self._rows[lineage]

    def filter_id(self, tree: Tree, node: int) -> str:
        """A filter's name in the plan: cell.line of its expression, and a letter for further ones on the line."""
        cell = tree.cell.number if tree.cell else 0
        base = f"{cell}.{tree.line(tree.nodes[node])}"
        same = self._ids.setdefault(base, [])
        if node not in same:
            same.append(node)
        return base + "abcdefghijklmnopqrstuvwxyz"[same.index(node) % 26] if same.index(node) else base

    def _on_filter(self, step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        if not self.walk.carries(event["before"]):
            return
        mode = self.mode(tree, event)
        if mode == PARTIAL:
            return
        node = tree.nodes[event["node"]]
        identity = self.filter_id(tree, event["node"])
        cell = tree.cell
        if event["kind"] == "filter":
            self.filters.setdefault(
                identity,
                FilterUse(
                    identity,
                    cell.number if cell else None,
                    tree.line(node),
                    ast.unparse(node)[:160],
                    event["name"] or "[...]",
                    mode,
                    cell.tags if cell else frozenset(),
                    self.recording.length_of(event["before"]),
                    self.recording.length_of(event["after"]),
                    self._rule_text(tree, node),
                ),
            )
        statement = self.recording.statement(step.k)[1]
        if event.get("inplace"):
            if mode == VALIDITY:
                self.edit(tree, event["node"], lambda r, t=tree, n=event["node"]: self._inplace_rule(r, t, n))  # type: ignore[misc]
            else:
                self.dropped.add(statement)
            return
        self.edit(tree, event["node"], lambda r, t=tree, e=event, m=mode: self._choice_text(r, t, e, m))  # type: ignore[misc]

    _on_select = _on_order = _on_filter

    def _on_ask(self, _step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        """A fitted object is asked about rows that a request may have none of, which scikit-learn refuses."""
        if self.predicted <= self._held(event["lineage"]):
            return
        node = tree.nodes[event["node"]]
        assert isinstance(node, ast.Call)
        if (node.args or node.keywords) and isinstance(node.func, ast.Attribute):
            self.edit(tree, event["node"], lambda r, n=node: asked_text(r, n))  # type: ignore[misc]

    _on_predict = _on_ask

    def _on_by_row(self, _step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        """A function of the row is applied to a table that may have none in a request."""
        node = tree.nodes[event["node"]]
        if isinstance(node, ast.Call) and not self.predicted <= self._held(event["lineage"]):
            dtype = event["dtype"]
            self.edit(tree, event["node"], lambda r, n=node: f'rules.by_row("{dtype}", {call_text(r, n)})')  # type: ignore[misc]

    def _choice_text(self, render: Render, tree: Tree, event: dict[str, Any], mode: str) -> str:
        node = tree.nodes[event["node"]]
        everything = render(tree.nodes[event["table"]]) if "table" in event else all_rows_text(render, node)
        if mode == NONE:
            return f"rules.no_row({everything})"
        if mode == VALIDITY:
            base = everything
            if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Tuple):
                located = isinstance(node.value, ast.Attribute) and node.value.attr in ("loc", "iloc")
                base = render(node.value.value if located else node.value)  # type: ignore[attr-defined]
            return f"rules.validity({self._rule_text(tree, node)!r}, {base}, {self._plain(tree, node)})"
        if isinstance(node, ast.Subscript):
            return everything
        return f"rules.every_row({everything})"

    def _plain(self, tree: Tree, node: ast.AST) -> str:
        return Patcher(tree, self.edits[tree.number]).inner(node)

    def _inplace_rule(self, render: Render, tree: Tree, index: int) -> str:
        node = tree.nodes[index]
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Attribute)
        base = render(node.func.value)
        args = [render(a) for a in node.args] + [
            f"{k.arg}={render(k.value)}" for k in node.keywords if k.arg != "inplace"
        ]
        return f"rules.validity({self._rule_text(tree, node)!r}, {base}, {base}.{node.func.attr}({', '.join(args)}))"

    def _rule_text(self, tree: Tree, node: ast.AST) -> str:
        cell = tree.cell.number if tree.cell else 0
        return f"cell {cell}, line {tree.line(node)}: {ast.unparse(node)}"

    def _on_split(self, step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        statement = self.recording.statement(step.k)[1]
        if self.walk.split_wanted(step, tree, event) is not None:
            self.splits[statement] = (step, event)
            return
        held = [a is not None and bool(self._held(a) & self.predicted) for a in event["after"]]

        def text(render: Render) -> str:
            call = tree.nodes[event["node"]]
            assert isinstance(call, ast.Call)
            arrays = ", ".join(render(a) for a in call.args)
            return f"rules.split(({arrays},), {held!r})"

        self.edit(tree, event["node"], text)

    def split_lines(self, statement: ast.stmt, patcher: Patcher) -> list[str]:
        """A split into names: only the parts that the path uses, each all or none of the rows."""
        step, event = self.splits[statement]
        tree, _ = self.recording.statement(step.k)
        wanted = self.walk.split_wanted(step, tree, event) or set()
        call = tree.nodes[event["node"]]
        assert isinstance(call, ast.Call)
        assert isinstance(statement, ast.Assign)
        target = statement.targets[0]
        assert isinstance(target, (ast.Tuple, ast.List))
        each = len(event["after"]) // len(call.args)
        out = []
        for i in sorted(wanted):
            name = ast.unparse(target.elts[i])
            after = event["after"][i]
            held = after is not None and bool(self._held(after) & self.predicted)
            out.append(
                f"{name} = rules.{'every_row' if held else 'no_row'}({patcher.render(call.args[i // each])})  # {event['name']}"
            )
        return out

    # definitions ----------------------------------------------------------------------------------------------------

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


def _in_loop(step: Step, loop: Place) -> bool:
    return any((place.k, place.instance) == (loop.k, loop.instance) for place in step.loops)
