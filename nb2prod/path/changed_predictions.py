"""What later statements make of a prediction in its place: ``p[p < 0] = 0``, ``df["pred"] = np.exp(df["pred"])``."""

from __future__ import annotations

import ast
from typing import Any

from nb2prod.path.candidate import Candidate, narrow, same_rows, steps_of
from nb2prod.path.named_columns import columns_named
from nb2prod.path.scopes import Namespace
from nb2prod.recording.trace import Recording, Step, Tree


class Changes:
    """What later statements make of a prediction in its place: ``p[p < 0] = 0``, ``df["pred"] = np.exp(df["pred"])``."""

    def __init__(self, recording: Recording, by_token: dict[int, Candidate], *, mixed: bool = False) -> None:
        self.recording, self.mixed = recording, mixed
        self.by_token = by_token
        self._namespace = Namespace(recording)
        self.by_column: dict[tuple[int, str], Candidate] = {}
        self._mixed: set[int] = set()

    def by(self, step: Step, found: list[Candidate]) -> list[Candidate]:
        """The candidates that this step gives so; `found` are all before, those of this step included."""
        out = [c for e in step.events if e["kind"] == "changed" and (c := self._in_place(step, e)) is not None]
        event = step.event("written")
        if event is not None:
            tree, statement = self.recording.statement(step.k)
            assert isinstance(statement, ast.Assign)  # nothing else writes a column by its name
            own = next((c for c in reversed(found) if c.steps[-1] is step and c.column == event["column"]), None)
            if _some_rows(statement):
                copied, column = own, own or self._mended(step, event)
            else:
                copied = own or self._copied(statement, step, event)
                column = (
                    copied or self._column(tree, statement, step, event) or self._beside(tree, statement, step, event)
                )
            if column is None and not copied and not any(c.predicted for c in found):
                # Rules or weights by hand, applied to a column: `df["pred"] = df["x"].apply(decide)`.
                node = tree.index[statement.value]
                output, lineage = event["output"], event["lineage"]
                out.append(Candidate([step], None, node, output, lineage, None, False, event["column"]))
            if column is not None:
                self.by_column[event["token"], event["column"]] = column
                out += [] if copied else [column]
        return out

    def _copied(self, statement: ast.Assign, step: Step, event: dict[str, Any]) -> Candidate | None:
        """``df["pred"] = p``: nothing new, but what is made of the column later is made of the prediction."""
        if not isinstance(statement.value, ast.Name):
            return None
        name = statement.value.id
        of = next(
            (c for r in step.reads if r.name == name and (c := self.by_token.get(r.token or -1)) is not None), None
        )
        if of is None or not same_rows(self.recording, of.lineage, event["lineage"]):
            return None
        return Candidate([*of.steps, step], None, None, event["output"], of.lineage, None, True, event["column"])

    def _in_place(self, step: Step, event: dict[str, Any]) -> Candidate | None:
        token = event["token"]
        before = self.by_token.get(token)
        if before is None or before.name is None or token in self._mixed or step.seq <= before.steps[-1].seq:
            return None
        after = before.steps[-1].seq
        changing = [s for s in self.recording.steps if after < s.seq <= step.seq and token in s.updates]
        now = Candidate([*before.steps, step], before.name, None, event["output"], event["lineage"], token, True)
        read = {r.token for s in changing for r in s.reads if r.kind == "rows"}
        if not narrow(self.recording, now) and read - set(self.by_token):
            # A table of results got a column of something else beside the prediction; what was before is the answer.
            self._mixed.add(token)
            return None
        if not same_rows(self.recording, before.lineage, event["lineage"]):
            return None
        self.by_token[token] = now
        return now

    def _mended(self, step: Step, event: dict[str, Any]) -> Candidate | None:
        """Some rows of a column that holds predictions; the answer is the column as it is then."""
        before = self.by_column.get((event["token"], event["column"]))
        if before is None:
            return None
        name = f"{event['name']}[{event['column']!r}]"
        steps = [*before.steps, step]
        return Candidate(steps, name, None, event["output"], before.lineage, None, True, event["column"])

    def named(self, tree: Tree, value: ast.AST, step: Step) -> list[Candidate]:
        """The predictions that stand in columns of tables which a step reads, and which its expression or the functions in it name."""
        tables = {token for r in step.reads if r.kind == "rows" for token in (r.token, *r.carried)}
        names = columns_named(self._namespace, tree, value)
        return [c for (token, column), c in self.by_column.items() if token in tables and column in names]

    def _beside(self, tree: Tree, statement: ast.Assign, step: Step, event: dict[str, Any]) -> Candidate | None:
        """With `mixed`, a column made of a column that holds predictions and of others: ``df["final"] = df.apply(decide, axis=1)``."""
        known = self.named(tree, statement.value, step) if self.mixed else []
        if not known or not all(same_rows(self.recording, c.lineage, event["lineage"]) for c in known):
            return None
        node = tree.index[statement.value]
        return Candidate(
            [*steps_of(known), step], None, node, event["output"], event["lineage"], None, True, event["column"]
        )

    def _column(self, tree: Tree, statement: ast.Assign, step: Step, event: dict[str, Any]) -> Candidate | None:
        """A column made of columns that hold predictions, and of nothing else that has rows."""
        if any(r.token not in (None, event["token"]) for r in step.reads):
            return None
        asked = _columns_read(statement.value, event["name"])
        sources = [self.by_column.get((event["token"], name)) for name in asked or ()]
        known = [c for c in sources if c is not None]
        if not known or len(known) < len(sources):
            return None
        return Candidate(
            [*steps_of(known), step],
            None,
            tree.index[statement.value],
            event["output"],
            known[-1].lineage,
            None,
            True,
            event["column"],
        )


def _some_rows(statement: ast.Assign) -> bool:
    """``df.loc[some, "x"] = ...``: the other rows keep what they had."""
    target = statement.targets[0]
    return isinstance(target, ast.Subscript) and not isinstance(target.value, ast.Name)


def _columns_read(value: ast.expr, table: str) -> set[str] | None:
    """The columns of a table that an expression reads; None where it reads the table in any other way."""
    found: set[str] = set()
    named = 0
    for node in ast.walk(value):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(column))) if name == table:
                found.add(column)
                named += 1
            case ast.Attribute(value=ast.Name(id=name), attr=column) if name == table:
                found.add(column)
                named += 1
    mentions = sum(isinstance(node, ast.Name) and node.id == table for node in ast.walk(value))
    return found if found and named == mentions else None
