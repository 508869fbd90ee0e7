"""What the recorded run shows that stands in no build's way and that its owner should know."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nb2prod.diagnostics import Diagnostic
from nb2prod.path.captures import CapturedValue
from nb2prod.path.freezing import Rows, events, overlap, rows_of, shape
from nb2prod.path.walk import Walk
from nb2prod.recording.trace import Recording, Step, Tree

STATISTICS = frozenset(
    "mean median mode std var min max sum quantile nanmean nanmedian nanstd percentile value_counts nunique unique idxmax idxmin"
    " skew kurt mad describe average".split()
)


@dataclass(frozen=True)
class Groups:
    """The rows of the raw table that were predicted, and those of any table that the model was fitted to."""

    predicted: frozenset[int]
    training: Rows

    def only_predicted(self, rows: Rows, table: int) -> bool:
        """Whether these are rows that were predicted, and none of training's."""
        own = rows.get(table, frozenset())
        return bool(own) and own <= self.predicted and not overlap(rows, self.training)


def of_predicted_rows(
    recording: Recording, walk: Walk, captured: tuple[CapturedValue, ...], groups: Groups
) -> tuple[Diagnostic, ...]:
    """T6: what the path has from the predicted rows alone: statistics (with training's value beside them), states of frozen operations, fits."""
    if not groups.training:
        return ()
    found: dict[tuple[int | None, int | None], Diagnostic] = {}
    for made in (
        *_statistics_of(recording, walk, groups),
        *_states_of(recording, walk, groups),
        *_fits_of(recording, walk, captured, groups),
    ):
        found.setdefault((made.cell, made.line), made)
    return tuple(found.values())


def _statistics_of(recording: Recording, walk: Walk, groups: Groups) -> Iterator[Diagnostic]:
    for step, event in _statistics(walk.kept.values()):
        gone = walk.covered(step) - set(walk.replaced(step))
        rows = rows_of(recording, event["from"])
        if (
            event["node"] not in gone
            and groups.only_predicted(rows, walk.table.number)
            and not walk.is_live(step, event)
        ):
            yield _statistic(recording, (step, event), groups)


def _states_of(recording: Recording, walk: Walk, groups: Groups) -> Iterator[Diagnostic]:
    for step, event in events(walk.kept.values(), "frozen"):
        if event.get("snapshot") is None or event["snapshot"] in walk.served.states or walk.is_live(step, event):
            continue
        gone = walk.covered(step) - set(walk.replaced(step))
        if event["node"] not in gone and groups.only_predicted(rows_of(recording, event["from"]), walk.table.number):
            tree, _ = recording.statement(step.k)
            what = _short(tree.nodes[event["node"]])
            yield _at(
                tree,
                event["node"],
                f"{what} depends on the rows that it is given, and was given the predicted rows alone. What it found there is kept and served.",
                "Do it for the training rows, and use what it found there for both.",
            )


def _fits_of(
    recording: Recording, walk: Walk, captured: tuple[CapturedValue, ...], groups: Groups
) -> Iterator[Diagnostic]:
    for value in captured:
        for _, snapshot in value.entries:
            learned = recording.snapshots.get(snapshot, {}).get("learned")
            if learned and groups.only_predicted(rows_of(recording, learned["from"]), walk.table.number):
                tree, _ = recording.statement(learned["k"])
                yield _at(
                    tree,
                    learned["node"],
                    f"{_short(tree.nodes[learned['node']])} was fitted on the predicted rows alone. What it found there is kept and served.",
                    "Fit it on the training rows, and transform both with it.",
                )


def _statistics(steps: Iterable[Step]) -> Iterator[tuple[Step, dict[str, Any]]]:
    for step, event in events(steps, "boundary"):
        if event["name"] in STATISTICS and event.get("snapshot") is not None:
            yield step, event


def _statistic(recording: Recording, used: tuple[Step, dict[str, Any]], groups: Groups) -> Diagnostic:
    step, event = used
    tree, _ = recording.statement(step.k)
    node = tree.nodes[event["node"]]
    own = recording.snapshots[event["snapshot"]]["text"]
    training = None
    for other, candidate in _statistics(recording.steps):
        its_tree, _ = recording.statement(other.k)
        same = shape(its_tree, its_tree.nodes[candidate["node"]]) == shape(tree, node)
        rows = rows_of(recording, candidate["from"])
        if same and {table: rows.get(table) for table in groups.training} == groups.training:
            training = recording.snapshots[candidate["snapshot"]]["text"]
    beside = f"training's is {training}" if training is not None else "the notebook never computed training's"
    return _at(
        tree,
        event["node"],
        f"{_short(node)} was computed from the rows that are predicted ({own}); {beside}. What the notebook used is kept and served.",
        "Compute it on the training rows and use that for both: the model knows training's values.",
    )


def _short(node: ast.AST) -> str:
    what = ast.unparse(node)
    return what if len(what) <= 60 else what[:57] + "..."


def _at(tree: Tree, node: int, message: str, hint: str) -> Diagnostic:
    return Diagnostic("T6", "warning", message, hint, *tree.place(tree.nodes[node]))
