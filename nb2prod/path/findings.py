"""What the recorded run shows that stands in no build's way and that its owner should know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from nb2prod.diagnostics import Diagnostic
from nb2prod.path.walk import Walk
from nb2prod.recording.trace import Recording, Step, Tree

STATISTICS = frozenset(
    "mean median mode std var min max sum quantile nanmean nanmedian nanstd percentile value_counts nunique unique idxmax idxmin"
    " skew kurt mad describe average".split()
)


def statistics_of_test(
    recording: Recording, walk: Walk, predicted: frozenset[int], fitted: frozenset[int]
) -> tuple[Diagnostic, ...]:
    """T6: statistics that the path takes from the predicted rows alone, with training's value beside them where the run computed it.

    `predicted` and `fitted`: rows of the raw table that were predicted, and those that the model was fitted to.
    """
    found: dict[tuple[int | None, int], Diagnostic] = {}
    kept = [s for s in walk.kept.values() if s.kind != "iteration"]
    for step, event in _statistics(kept):
        tree, _ = recording.statement(step.k)
        rows = _rows(recording, walk, event)
        if (
            event["node"] in walk.covered(step) - set(walk.replaced(step))
            or not rows
            or rows & fitted
            or not rows <= predicted
        ):
            continue
        made = _diagnostic(recording, walk, (step, event), fitted)
        found.setdefault((tree.cell.number if tree.cell else None, made.line or 0), made)
    return tuple(found.values())


def _statistics(steps: Any) -> Iterator[tuple[Step, dict[str, Any]]]:
    for step in steps:
        for event in step.events:
            if event["kind"] == "boundary" and event["name"] in STATISTICS and event.get("snapshot") is not None:
                yield step, event


def _rows(recording: Recording, walk: Walk, event: dict[str, Any]) -> frozenset[int]:
    rows: set[int] = set()
    for lineage in event.get("from", ()):
        found = recording.rows_of(lineage, walk.table.number)
        rows |= set(found[found >= 0].tolist()) if found is not None else set()
    return frozenset(rows)


def _diagnostic(
    recording: Recording, walk: Walk, used: tuple[Step, dict[str, Any]], fitted: frozenset[int]
) -> Diagnostic:
    step, event = used
    tree, _ = recording.statement(step.k)
    node = tree.nodes[event["node"]]
    own = recording.snapshots[event["snapshot"]]["text"]
    shape = _shape(tree, node)
    training = None
    for other, candidate in _statistics(recording.steps):
        its_tree, _ = recording.statement(other.k)
        if _shape(its_tree, its_tree.nodes[candidate["node"]]) == shape and _rows(recording, walk, candidate) == fitted:
            training = recording.snapshots[candidate["snapshot"]]["text"]
    beside = f"training's is {training}" if training is not None else "the notebook never computed training's"
    what, line = ast.unparse(node), tree.line(node)
    return Diagnostic(
        "T6",
        "warning",
        f"{what if len(what) <= 60 else what[:57] + '...'} was computed from the rows that are predicted ({own}); {beside}. "
        "What the notebook used is kept and served.",
        "Compute it on the training rows and use that for both: the model knows training's values.",
        tree.cell.number if tree.cell else None,
        line,
        tree.cell.text_of(line) if tree.cell else "",
    )


def _shape(tree: Tree, node: ast.AST) -> str:
    """The expression without the names of its variables: ``X_test["Age"].mean()`` and ``X_train["Age"].mean()`` are alike."""
    text = ast.unparse(node)
    roots = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n in tree.index}
    for name in sorted(roots, key=len, reverse=True):
        text = text.replace(name, "_")
    return text
