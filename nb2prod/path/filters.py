"""Filters that belong to training by what they are made of: their cell's tags, or a statistic of all rows in their condition."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nb2prod.path.choice_nodes import choice_nodes
from nb2prod.path.findings import STATISTICS
from nb2prod.path.scopes import Namespace, free_names
from nb2prod.recording.trace import Recording, Step, Tree

BY_USER, BY_TAG, BY_STATISTIC = (
    "set by the user",
    "its cell is tagged train",
    "its condition compares a row with a statistic of all rows",
)
_DEPTH = 4


@dataclass(frozen=True)
class Told:
    """Classes that are known before anything is tried, by the filter's cell.line, and what tells them."""

    classes: Mapping[str, str] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)


def told(
    recording: Recording,
    by_user: Mapping[str, str],
    training_only: str,
    table: int,
    training: Mapping[int, Collection[int]],
) -> Told:
    """The classes of a recording's filters that are told: the user's word first, then the tags, then what the condition is made of.

    Args:
        recording: of the notebook's run.
        by_user: classes by cell.line that the options say.
        training_only: the class of a filter that belongs to training.
        table: the number of the predicted rows' raw table.
        training: by raw table, the rows that the model learned from; empty where the run does not show them.
    """
    classes, evidence = dict(by_user), dict.fromkeys(by_user, BY_USER)
    statistics = _Statistics(recording)
    for step in recording.steps:
        for event in step.events:
            if event["kind"] != "filter":
                continue
            tree, _ = recording.statement(step.k)
            tags = tree.cell.tags if tree.cell is not None else frozenset()
            why = BY_TAG if "train" in tags and "feature" not in tags else ""
            if not why and _meets_training(recording, event, table, training) and statistics.decide(step, tree, event):
                why = BY_STATISTIC
            place = f"{tree.cell.number if tree.cell else 0}.{tree.line(tree.nodes[event['node']])}"
            if why and place not in classes:
                classes[place], evidence[place] = training_only, why
    return Told(classes, evidence)


def _meets_training(
    recording: Recording, event: dict[str, Any], table: int, training: Mapping[int, Collection[int]]
) -> bool:
    """Whether rows that the model learned from go into the filter: where none does, it is no step of training's."""
    rows = recording.rows_of(event["before"], table)
    if not training or rows is None:
        return True
    given = set(rows[rows >= 0].tolist())
    return not given or not given.isdisjoint(training.get(table, ()))


class _Statistics:
    """Which conditions and variables hold statistics of rows."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.namespace = Namespace(recording)
        self.made: set[tuple[int, ast.AST]] = set()
        for step in recording.steps:
            if any(_is_statistic(event) for event in step.events):
                tree, node = recording.statement(step.k)
                self.made.add((tree.number, node))

    def decide(self, step: Step, tree: Tree, event: dict[str, Any]) -> bool:
        """Whether the condition of a filter looks at a statistic, in itself or in a variable."""
        inside = {tree.index[n] for n in self._condition(tree, event) if n in tree.index}
        if any(_is_statistic(e) and e["node"] in inside for e in step.events):
            return True
        values = {r.name for r in step.reads if r.kind == "value" and r.node in inside}
        return any(self._holds(name, tree, _DEPTH) for name in values)

    def _condition(self, tree: Tree, event: dict[str, Any]) -> Iterator[ast.AST]:
        for index in choice_nodes(tree, event):
            yield from ast.walk(tree.nodes[index])

    def _holds(self, name: str, tree: Tree, depth: int) -> bool:
        found = self.namespace.find(name, tree.number)
        if found is None or not isinstance(found.node, ast.Assign) or not depth:
            return False
        if (found.tree.number, found.node) in self.made:
            return True
        return any(self._holds(n, found.tree, depth - 1) for n in free_names(found.node.value) if n != name)


def _is_statistic(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == "boundary" and event["name"] in STATISTICS)
