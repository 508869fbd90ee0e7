"""Names that the path reads: what each stands for while serving, a captured value or a variable of the served code itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nb2prod.path.captures import Occurrence, keys_of
from nb2prod.path.definitions import Use
from nb2prod.path.edits import Render
from nb2prod.path.scopes import (
    binds_in_target,
    binds_name,
    bound_around,
    calls_of,
    changes_in_place,
    free_names,
    local_names,
    parameters,
)
from nb2prod.recording.kernel.arguments import FITTING
from nb2prod.recording.trace import Place, Read, Step, Tree

if TYPE_CHECKING:
    from nb2prod.path.compose import Composer


class NamesRead:
    """Captures the values of names, unless the served code has the variable itself."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.recording, self.walk = composer.recording, composer.walk

    def read(self, step: Step, tree: Tree, read: Read, keys: dict[str, Any]) -> None:
        node = tree.nodes[read.node]
        if read.kind in ("module", "import"):
            self.composer.definitions.need(read.name, tree.number)
            return
        if read.kind in ("function", "class"):
            if not self._own_variable(step, tree, node, read.name):
                use = Use(step.seq, self.composer.looped(step), read.state)
                self.composer.definitions.use(tree, read.node, read.name, use)
            return
        idle = read.snapshot is not None and not read.asked and self.composer.walk.is_beside(read.lineage)
        if read.kind == "rows" and (idle or (tree.number, read.node) in self.composer.walk.served.kept):
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
            outer = keys_of(self.composer.recording, step, self.composer.loops - {(loop.k, loop.instance)})
            self.composer.captures.add(*site, (read.name, reason), Occurrence(step.seq, read.snapshot, outer))
            self.composer.preludes.setdefault(self.composer.recording.statement(loop.k)[1], {})[read.name] = site
        if loop is not None or isinstance(getattr(node, "ctx", None), ast.Store):
            return
        self.composer.captures.add(
            tree, read.node, "read", (read.name, reason), Occurrence(step.seq, read.snapshot, keys)
        )
        beside = self._written_beside_rows(step, tree, node) if self._labelled(read) else None
        self.composer.edit(tree, read.node, lambda r, t=tree, n=read.node: self._read_text(r, t, n, beside))  # type: ignore[misc]

    def _table_asked(self, step: Step, tree: Tree, read: Read, keys: dict[str, Any]) -> None:
        """What will be asked of a table is not known (by a branch that no row took, by a lambda for each row): it is kept as it was."""
        assert read.snapshot is not None
        asked = "a lambda" if read.asked else "a branch which did not run"
        reason = f"a table that {asked} asks by its name, {read.name}"
        self.composer.captures.add(
            tree, read.node, "read", (read.name, reason), Occurrence(step.seq, read.snapshot, keys)
        )
        self.composer.edit(tree, read.node, self.composer.captures.reading(tree, read.node, "read"))

    def _own_variable(self, step: Step, tree: Tree, node: ast.AST, name: str) -> bool:
        """Whether a name is a parameter, a local, or the variable of a kept loop or comprehension around it: the served code has it itself."""
        if bound_around(tree, node, name):
            return True
        if step.frame:
            _, function = self.composer.recording.statement(self.composer.recording.frames[step.frame].k)
            if isinstance(function, ast.FunctionDef) and name in local_names(function):
                return True
        kept = [
            self.composer.recording.statement(p.k)[1] for p in step.loops if (p.k, p.instance) in self.composer.loops
        ]
        return any(binds_in_target(loop, name) for loop in kept)

    def _carried_in(self, step: Step, read: Read) -> Place | None:
        """The loop whose later rounds read rows by this name (``total = 0``, then ``total = total + model.predict(X)`` in each round)."""
        kept = [place for place in step.loops if (place.k, place.instance) in self.composer.loops]
        if step.frame or not kept:
            return None
        loop = kept[-1]
        rounds = [s for s in self.composer.walk.kept.values() if s.k == step.k and _in_loop(s, loop)]
        carried = any(r.node == read.node and r.kind == "rows" for s in rounds for r in s.reads)
        return loop if carried else None

    def _read_text(self, render: Render, tree: Tree, node: int, beside: ast.AST | None) -> str:
        text = self.composer.captures.reference(tree, node, "read")
        return text if beside is None else f"rules.beside({text}, {render(beside)})"

    def _labelled(self, read: Read) -> bool:
        snapshot = self.composer.recording.snapshots.get(read.snapshot or 0, {})
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
            if (place.k, place.instance) in self.composer.loops and name in place.keys:
                return True
        if not step.frame:
            return False
        _, function = self.composer.recording.statement(self.composer.recording.frames[step.frame].k)
        if not isinstance(function, ast.FunctionDef) or name not in local_names(function):
            return False
        if step.frame in self.composer.followed:
            return True
        if name in parameters(function):
            return not self._trained_here(step, name)
        return self._live_local(step, tree, function, name)

    def _answers(self, step: Step, name: str) -> bool:
        """Whether an earlier step of the prediction binds this name to the answer for one row."""
        before = [s for s in self.composer.prediction.steps if s.seq < step.seq]
        bound = [e for s in before for e in s.events if e["kind"] == "bound" and e["token"] is None]
        return not step.frame and any(event["name"] == name for event in bound)

    def _trained_here(self, step: Step, name: str) -> bool:
        """Tell whether the call fitted what this parameter holds before this step read it: then its state is training's."""
        for other in self.composer.recording.by_frame.get(step.frame, []):
            if other.seq >= step.seq:
                return False
            for node in ast.walk(self.composer.recording.statement(other.k)[1]):
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
            id(self.composer.recording.statement(s.k)[1])
            for s in self.composer.recording.by_frame.get(step.frame, [])
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
            self.composer.of(tree).extra.add(binder)
        return True


def _in_loop(step: Step, loop: Place) -> bool:
    return any((place.k, place.instance) == (loop.k, loop.instance) for place in step.loops)
