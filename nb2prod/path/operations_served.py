"""Operations on the path that are not served as they stand: values taken from all rows, frozen operations, tables that come in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nb2prod.path.call_text import all_rows_text, asked_text, call_text
from nb2prod.path.captures import Occurrence, telling_name
from nb2prod.path.composition import (
    FrozenUse,
    Handler,
)
from nb2prod.path.edits import Render
from nb2prod.recording.trace import Step, Tree

if TYPE_CHECKING:
    from nb2prod.path.compose import Composer


class OperationsServed:
    """Turns what the recorder noted of an operation into an edit of its expression."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.recording, self.walk = composer.recording, composer.walk
        self.frozen: list[FrozenUse] = []

    def handlers(self) -> dict[str, Handler]:
        """What becomes of the recorder's events, by their kinds."""
        return {
            "boundary": self.on_boundary,
            "row": self._on_row,
            "mention": self._on_mention,
            "lookup": self._on_lookup,
            "root": self._on_root,
            "count": self._on_count,
            "frozen": self._on_frozen,
            "ask": self._on_ask,
            "predict": self._on_ask,
            "by_row": self._on_by_row,
        }

    def on_boundary(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        if event.get("snapshot") is None or self.composer.walk.is_live(step, event):
            return
        node = tree.nodes[event["node"]]
        what = ast.unparse(node)
        reason = f"computed from all of training's rows: {what if len(what) <= 80 else what[:77] + '...'}"
        self.composer.captures.add(
            tree, event["node"], "boundary", (telling_name(node), reason), Occurrence(step.seq, event["snapshot"], keys)
        )
        self.composer.edit(tree, event["node"], self.composer.captures.reading(tree, event["node"], "boundary"))

    def _on_row(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        """One row taken out: the request's, where it is the one that is predicted."""
        if not self.composer.walk.serves_row(event):
            self.on_boundary(step, tree, event, keys)
            return
        node = tree.nodes[event["node"]]
        self.composer.edit(tree, event["node"], lambda r: f"rules.one_row({all_rows_text(r, node)})")

    def _on_mention(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        """A variable that a query's text names must be there under its name."""
        statement = self.composer.recording.statement(step.k)[1]
        name = event["name"]
        if event.get("snapshot") is None or any(name in place.keys for place in step.loops):
            return
        named = (name, f"named in the text of {ast.unparse(tree.nodes[event['node']])[:60]}")
        self.composer.captures.add(
            tree, event["node"], f"mention {name}", named, Occurrence(step.seq, event["snapshot"], keys)
        )
        self.composer.preludes.setdefault(statement, {})[name] = (tree, event["node"], f"mention {name}")

    def _on_lookup(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        if not self.composer.walk.is_lookup(event) or event.get("snapshot") is None:
            return
        node = tree.nodes[event["node"]]
        reason = f"a table that the path only looks up in: {ast.unparse(node)[:80]}"
        self.composer.captures.add(
            tree, event["node"], "lookup", (telling_name(node), reason), Occurrence(step.seq, event["snapshot"], keys)
        )
        self.composer.edit(tree, event["node"], self.composer.captures.reading(tree, event["node"], "lookup"))

    def _on_root(self, _step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        table = self.composer.recording.tables[event["table"]]
        if table.number != self.composer.walk.table.number:
            snapshot = self.composer.oracle.empty_table(table.number)
            cell = tree.cell.number if tree.cell else None
            value = self.composer.captures.fixed(
                f"{table.name or 'table'}_without_rows",
                snapshot,
                "another table on the path: its columns, without its rows",
                cell,
                tree.line(tree.nodes[event["node"]]),
            )
            text = f"captured.{value.name}"
            self.composer.edit(tree, event["node"], lambda _: _as_it_came(text, event))
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
        self.composer.edit(tree, event["node"], lambda _: _as_it_came(text, event))

    def _on_count(self, step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        """A variable that holds the number of training's rows, where an array with an entry for each row is made."""
        if not step.frame:
            self.composer.edit(tree, event["node"], lambda _: "len(rows)")

    def _on_frozen(self, step: Step, tree: Tree, event: dict[str, Any], keys: dict[str, Any]) -> None:
        node = tree.nodes[event["node"]]
        if event.get("snapshot") is None or self.composer.walk.is_live(step, event):
            return
        snapshot = self.composer.walk.served.states.get(event["snapshot"], event["snapshot"])
        cell = tree.cell.number if tree.cell else None
        use = FrozenUse(event["op"], event["rule"], event["phrase"], cell, tree.line(node), ast.unparse(node)[:160])
        if use not in self.frozen:
            self.frozen.append(use)
        wish = event.get("name") or event["op"]
        self.composer.captures.add(
            tree, event["node"], "frozen", (wish, event["phrase"]), Occurrence(step.seq, snapshot, keys)
        )
        self.composer.edit(tree, event["node"], lambda r, s=step, t=tree, e=event: self._frozen_text(r, s, t, e))  # type: ignore[misc]

    def _frozen_text(self, render: Render, step: Step, tree: Tree, event: dict[str, Any]) -> str:
        node = tree.nodes[event["node"]]
        state = self.composer.captures.reference(tree, event["node"], "frozen")
        if isinstance(node, ast.Attribute):
            return f"frozen.{event['op']}({state}, {render(node.value)})"
        assert isinstance(node, ast.Call)
        if event["receiver_is_state"]:
            first = node.args[0] if node.args else node.keywords[0].value
            if event.get("lineage") is not None and not self.composer.predicted <= self.composer.choices.held(
                event["lineage"]
            ):
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

    def _on_ask(self, _step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        """A fitted object is asked about rows that a request may have none of, which scikit-learn refuses."""
        if self.composer.predicted <= self.composer.choices.held(event["lineage"]):
            return
        node = tree.nodes[event["node"]]
        assert isinstance(node, ast.Call)
        if (node.args or node.keywords) and isinstance(node.func, ast.Attribute):
            self.composer.edit(tree, event["node"], lambda r, n=node: asked_text(r, n))  # type: ignore[misc]

    def _on_by_row(self, _step: Step, tree: Tree, event: dict[str, Any], _keys: dict[str, Any]) -> None:
        """A function of the row is applied to a table that may have none in a request."""
        node = tree.nodes[event["node"]]
        if isinstance(node, ast.Call) and not self.composer.predicted <= self.composer.choices.held(event["lineage"]):
            dtype = event["dtype"]
            self.composer.edit(tree, event["node"], lambda r, n=node: f'rules.by_row("{dtype}", {call_text(r, n)})')  # type: ignore[misc]


def _as_it_came(rows: str, event: dict[str, Any]) -> str:
    """The text of a table's rows, as a table of polars where the notebook had one."""
    return f"rules.polars_table({rows}, {dict(event['schema'])!r})" if event.get("schema") else rows
