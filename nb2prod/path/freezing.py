"""Which operations that look at the rows beside a row are served as they are written, and with whose state the others are.

A row alone through the notebook's own lines is the definition. A call that was made for training's rows is served with what it found there. One
that was made for the predicted rows alone is tried: if each row alone, through the line as it stands, still gets the recorded answer, it stays;
if not, it is served with training's state, where the same call was made for the rows of the fit and that gives the recorded answers too; else
with what it found in the predicted rows, and a warning says so.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nb2prod.path.walk import Served, Walk
from nb2prod.recording.trace import Recording, Step, Tree

Rows = dict[int, frozenset[int]]
"""Rows by the table that they are of."""
MOST_TRIES = 24


@dataclass(frozen=True)
class Dependent:
    """One operation on the path that was made for rows of which none is training's: where it stands, and its executions."""

    tree: Tree
    node: int
    executions: tuple[tuple[Step, dict[str, Any]], ...]

    @property
    def place(self) -> tuple[int, int]:
        """Its tree and node."""
        return self.tree.number, self.node

    @property
    def refits(self) -> bool:
        """Whether it changes an object that later rows are given to: served as it stands, one request would change another's answers."""
        return any(event["receiver_is_state"] for _, event in self.executions)


def rows_of(recording: Recording, lineages: list[int]) -> Rows:
    """The rows of each table that values with these lineages hold."""
    found: dict[int, set[int]] = {}
    for lineage in lineages:
        for table in recording.tables_of(lineage):
            rows = recording.rows_of(lineage, table)
            if rows is not None:
                found.setdefault(table, set()).update(rows[rows >= 0].tolist())
    return {table: frozenset(rows) for table, rows in found.items() if rows}


def rows_learned_from(recording: Recording, lineage: int) -> Rows:
    """The rows that the entries of a fit are: not those of a table that was only looked up in, which stand behind many entries beside others' rows."""
    entries = {table: recording.rows_of(lineage, table) for table in recording.tables_of(lineage)}
    held = {table: rows for table, rows in entries.items() if rows is not None and (rows >= 0).any()}
    found: Rows = {}
    known = np.zeros(max((len(rows) for rows in held.values()), default=0), dtype=bool)
    for table, rows in sorted(held.items(), key=lambda item: -len(np.unique(item[1]))):
        own = rows[rows >= 0]
        if len(np.unique(own)) == len(own) or (rows[~known] >= 0).any():
            found[table] = frozenset(own.tolist())
            known |= rows >= 0
    return found


def overlap(a: Rows, b: Rows) -> bool:
    """Whether any row is among both."""
    return any(rows & b.get(table, frozenset()) for table, rows in a.items())


@dataclass
class Freezing:
    """Decides for one plan. `table`: the raw table's number; `training`: the rows of the fit; `replays`: composes and tries the path so served."""

    recording: Recording
    table: int
    training: Rows
    replays: Callable[[Served], bool]
    tries: int = field(default=0)

    def dependent(self, walk: Walk) -> tuple[Dependent, ...]:
        """The operations on the path that were made for rows of the raw table, and for none of training's."""
        found: dict[tuple[int, int], list[tuple[Step, dict[str, Any]]]] = {}
        for step, event in events(walk.kept.values(), "frozen"):
            tree, _ = self.recording.statement(step.k)
            rows = rows_of(self.recording, event["from"])
            covered = walk.covered(step) - set(walk.replaced(step))
            if rows.get(self.table) and not overlap(rows, self.training) and event["node"] not in covered:
                found.setdefault((tree.number, event["node"]), []).append((step, event))
        return tuple(Dependent(self.recording.trees[t], node, tuple(ran)) for (t, node), ran in found.items())

    def decide(self, walk: Walk, dependent: tuple[Dependent, ...]) -> Served:
        """How they are served. What only asks for the form of the rows at hand, their columns say, goes with what is served as it is written."""
        forms = frozenset(self._places(walk, self._asks_form))
        open_ones = [one for one in dependent if not one.refits]
        served = Served()
        if open_ones and len(open_ones) == len(dependent):
            served = self._better(served, frozenset(one.place for one in open_ones) | forms)
        for one in open_ones:
            if one.place not in served.live:
                served = self._better(served, served.live | forms | {one.place})
        for one in dependent:
            states = self._training(one)
            if one.place not in served.live and states:
                trained = replace(served, states={**served.states, **states})
                served = trained if self._try(trained) else served
        return served

    def mend(self, walk: Walk) -> Served | None:
        """Where the path does not replay: what mends it, of what a request's row has no part in.

        What only counts the rows at hand is computed while serving; loops pass by training's tables; writes into rows of training's by their labels go.
        """
        places = self._places(walk, self._counts)
        live = [frozenset(places), *(frozenset([place]) for place in places if len(places) > 1)]
        tried = [Served(live=some) for some in live if some]
        if any(
            walk.goes_over_tables(self.recording.statement(s.k)[1]) for s in walk.kept.values() if s.kind == "header"
        ):
            tried += [Served(live=some, skipping=True) for some in dict.fromkeys([frozenset(), *live])]
        if written := self._written_by_label(walk):
            tried = [Served(left_out=written), *(replace(one, left_out=written) for one in tried), *tried]
        if asked := self._asked_by_row(walk):
            tried.append(Served(kept=asked))
        return next((served for served in tried if self._try(served)), None)

    def _written_by_label(self, walk: Walk) -> frozenset[tuple[int, int]]:
        """Statements on the path that write into rows chosen by no condition on rows: ``df.loc[5, "age"] = 33.0``."""
        found = set()
        for step in walk.kept.values():
            tree, node = self.recording.statement(step.k)
            rows = {read.node for read in step.reads if read.kind in ("rows", "container")}
            if step.kind == "step" and isinstance(node, (ast.Assign, ast.AugAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                keys = [target.slice for target in targets if _locates(target)]  # type: ignore[attr-defined]
                if keys and not any(tree.index.get(n) in rows for key in keys for n in ast.walk(key)):
                    found.add((tree.number, tree.index[node]))
        return frozenset(found)

    def _asked_by_row(self, walk: Walk) -> frozenset[tuple[int, int]]:
        """Names by which lambdas on the path ask tables: ``df.apply(lambda r: r.b - df[df.g == r.g].b.mean(), axis=1)``."""
        steps = [one for step in walk.kept.values() for one in (step, *step.asides)]
        return frozenset(
            (self.recording.statements[s.k].tree, read.node) for s in steps for read in s.reads if read.asked
        )

    def _better(self, served: Served, live: frozenset[tuple[int, int]]) -> Served:
        tried = replace(served, live=live)
        return tried if self._try(tried) else served

    def _places(self, walk: Walk, wanted: Callable[[dict[str, Any]], bool]) -> list[tuple[int, int]]:
        """Where the path takes something that is no rows from rows of the raw table."""
        found: dict[tuple[int, int], None] = {}
        for step, event in events(walk.kept.values(), "boundary"):
            if event.get("snapshot") is not None and wanted(event):
                found[self.recording.statements[step.k].tree, event["node"]] = None
        return list(found)

    def _asks_form(self, event: dict[str, Any]) -> bool:
        """Whether a value of rows that are none of training's is no number that was computed from them: names, a count, yes or no."""
        rows = rows_of(self.recording, event["from"])
        if not rows.get(self.table) or overlap(rows, self.training):
            return False
        kind = str(self.recording.snapshots[event["snapshot"]].get("type"))
        return kind in ("bool", "str", "list", "set") or kind.endswith(".Index") or self._counts(event)

    def _counts(self, event: dict[str, Any]) -> bool:
        """Whether a value is the number of rows that it was asked of, or begins with it."""
        rows = [self.recording.length_of(lineage) for lineage in event["from"]]
        info = self.recording.snapshots[event["snapshot"]]
        if info.get("type") == "tuple":
            return any(info["text"].startswith(f"({n},") for n in rows)
        return info.get("type") == "int" and info.get("value") in rows

    def _try(self, served: Served) -> bool:
        self.tries += 1
        return self.tries <= MOST_TRIES and self.replays(served)

    def _training(self, one: Dependent) -> dict[int, int]:
        """For each execution's state the state of the same call on training's rows; empty where one has none."""
        found = {}
        known = [
            (step, event)
            for step, event in events(self.recording.steps, "frozen")
            if event["op"] == one.executions[0][1]["op"]
            and overlap(rows_of(self.recording, event["from"]), self.training)
        ]
        for step, event in one.executions:
            mark = self._call(step, event)
            same = [other["snapshot"] for ran, other in known if self._call(ran, other) == mark]
            if not same or same[-1] is None:
                return {}
            found[event["snapshot"]] = same[-1]
        return found

    def _call(self, step: Step, event: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """What tells one call from another, whatever table it was made for."""
        tree, _ = self.recording.statement(step.k)
        keys = dict(self.recording.frames[step.frame].keys) if step.frame else {}
        for place in step.loops:
            keys.update(place.keys)
        return shape(tree, tree.nodes[event["node"]]), {**keys, **event.get("keys", {})}


def events(steps: Iterable[Step], kind: str) -> Iterator[tuple[Step, dict[str, Any]]]:
    """The events of one kind, those in lambdas of other cells too, with the steps that they are of."""
    for step in steps:
        for one in (step, *step.asides):
            yield from ((one, event) for event in one.events if event["kind"] == kind)


def _locates(target: ast.expr) -> bool:
    """Whether a target is some rows of a table: ``df.loc[...]``, ``df.at[...]``."""
    return (
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Attribute)
        and target.value.attr in ("loc", "iloc", "at", "iat")
    )


def shape(tree: Tree, node: ast.AST) -> str:
    """The expression without the names of its variables: ``X_test["Age"].mean()`` and ``X_train["Age"].mean()`` are alike."""
    text = ast.unparse(node)
    roots = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n in tree.index}
    for name in sorted(roots, key=len, reverse=True):
        text = text.replace(name, "_")
    return text
