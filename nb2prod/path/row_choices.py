"""Filters, selections and splits on the path: which rows of a request each of them gives, and the text that says so."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nb2prod.path.call_text import all_rows_text
from nb2prod.path.choice_nodes import choice_nodes, subtrees
from nb2prod.path.composition import (
    EVERY,
    NONE,
    PARTIAL,
    TRAINING_ONLY,
    VALIDITY,
    FilterUse,
    Handler,
)
from nb2prod.path.edits import Patcher, Render
from nb2prod.recording.trace import Step, Tree

if TYPE_CHECKING:
    from nb2prod.path.compose import Composer


class RowChoices:
    """Says how each choice of rows is served, and edits it so."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.recording, self.walk = composer.recording, composer.walk
        self._ids: dict[str, list[int]] = {}
        self._rows: dict[int, set[int]] = {}
        self.partial: set[tuple[int, int]] = set()
        self.holding = self._holding()
        self.filters: dict[str, FilterUse] = {}
        self.splits: dict[ast.stmt, tuple[Step, dict[str, Any]]] = {}

    def handlers(self) -> dict[str, Handler]:
        """What becomes of the recorder's events, by their kinds."""
        return {"filter": self.on_filter, "select": self.on_filter, "order": self.on_filter, "split": self.on_split}

    def mode(self, tree: Tree, event: dict[str, Any]) -> str:
        """How a choice of rows is served."""
        if (tree.number, event["node"]) not in self.holding:
            return NONE if self.held(event["before"]) else EVERY
        if event["kind"] in ("select", "order"):
            return EVERY
        if "table" in event and not event.get(
            "by_row"
        ):  # it went through groups or rows: what becomes of a row depends on the others
            return TRAINING_ONLY
        if (tree.number, event["node"]) in self.partial:
            return PARTIAL
        identity = self.filter_id(tree, event["node"])
        told = self.composer.classes.told.get(
            identity.rstrip("abcdefghijklmnopqrstuvwxyz"), self.composer.classes.otherwise
        )
        return self.composer.classes.settled.get(identity, told)

    def held(self, lineage: int) -> set[int]:
        if lineage not in self._rows:
            rows = self.composer.recording.rows_of(lineage, self.composer.walk.table.number)
            self._rows[lineage] = set(rows[rows >= 0].tolist()) if rows is not None else set()
        return self._rows[lineage]

    def _holding(self) -> set[tuple[int, int]]:
        """The choices of rows whose result held predicted rows in some execution."""
        found: set[tuple[int, int]] = set()
        for step in self.composer.recording.steps:
            for event in step.events:
                if (
                    event["kind"] not in ("filter", "select", "order")
                    or not self.held(event["after"]) & self.composer.predicted
                ):
                    continue
                place = (self.composer.recording.statements[step.k].tree, event["node"])
                found.add(place)
                if event["kind"] == "filter" and (self.held(event["before"]) & self.composer.predicted) - self.held(
                    event["after"]
                ):
                    self.partial.add(place)
        return found

    def filter_id(self, tree: Tree, node: int) -> str:
        """A filter's name in the plan: cell.line of its expression, and a letter for further ones on the line."""
        cell = tree.cell.number if tree.cell else 0
        base = f"{cell}.{tree.line(tree.nodes[node])}"
        same = self._ids.setdefault(base, [])
        if node not in same:
            same.append(node)
        return base + "abcdefghijklmnopqrstuvwxyz"[same.index(node) % 26] if same.index(node) else base

    def on_filter(self, step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        if not self.composer.walk.carries(event["before"]):
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
                    self.composer.recording.length_of(event["before"]),
                    self.composer.recording.length_of(event["after"]),
                    self._rule_text(tree, node),
                ),
            )
        statement = self.composer.recording.statement(step.k)[1]
        if event.get("inplace"):
            if mode == VALIDITY:
                self.composer.edit(tree, event["node"], lambda r, t=tree, n=event["node"]: self._inplace_rule(r, t, n))  # type: ignore[misc]
            else:
                self.composer.dropped.add(statement)
            return
        self.composer.edit(tree, event["node"], lambda r, t=tree, e=event, m=mode: self._choice_text(r, t, e, m))  # type: ignore[misc]

    def _choice_text(self, render: Render, tree: Tree, event: dict[str, Any], mode: str) -> str:
        node = tree.nodes[event["node"]]
        everything = render(tree.nodes[event["table"]]) if "table" in event else all_rows_text(render, node)
        if event.get("axis") and isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
            rows = ":0" if mode == NONE else "rules.every"
            return f"{render(node.value)}[{render(node.slice.elts[0])}, {rows}]"
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
        return Patcher(tree, self.composer.edits[tree.number]).inner(node)

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

    def on_split(self, step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        statement = self.composer.recording.statement(step.k)[1]
        if self.composer.walk.split_wanted(step, tree, event) is not None:
            self.splits[statement] = (step, event)
            return
        held = [a is not None and bool(self.held(a) & self.composer.predicted) for a in event["after"]]

        def text(render: Render) -> str:
            call = tree.nodes[event["node"]]
            assert isinstance(call, ast.Call)
            if len(call.args) == len(held) == 1:  # of one array alone, `shuffle` and `resample` give that one
                return f"rules.{'every_row' if held[0] else 'no_row'}({render(call.args[0])})"
            arrays = ", ".join(render(a) for a in call.args)
            return f"rules.split(({arrays},), {held!r})"

        self.composer.edit(tree, event["node"], text)

    def split_lines(self, statement: ast.stmt, patcher: Patcher) -> list[str]:
        """A split into names: only the parts that the path uses, each all or none of the rows."""
        step, event = self.splits[statement]
        tree, _ = self.composer.recording.statement(step.k)
        wanted = self.composer.walk.split_wanted(step, tree, event) or set()
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
            held = after is not None and bool(self.held(after) & self.composer.predicted)
            out.append(
                f"{name} = rules.{'every_row' if held else 'no_row'}({patcher.render(call.args[i // each])})  # {event['name']}"
            )
        return out

    def inside_conditions(self, step: Step, tree: Tree) -> set[int]:
        """``df.drop(df[df.x > 5].index)``: the inner choice is the outer one's condition and stays as it is."""
        inside: set[int] = set()
        for event in step.events:
            if event["kind"] == "filter" and self.held(event["before"]):
                inside |= subtrees(tree, choice_nodes(tree, event))
        return inside

    def covered(self, step: Step, tree: Tree, nested: set[int]) -> set[int]:
        """What only says which rows, in choices that the service does not make; those `nested` in another's condition are made."""
        out: set[int] = set()
        for event in step.events:
            if event["node"] in nested:
                continue
            row = event["kind"] == "row" and self.composer.walk.serves_row(event)
            if row or (event["kind"] in ("filter", "select", "order") and self.mode(tree, event) != VALIDITY):
                out |= subtrees(tree, choice_nodes(tree, event))
        return out
