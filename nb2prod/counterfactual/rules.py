"""Which line left a changed row out, and whether that is a rule on the row alone: then the service must refuse the row.

What the plan decided of the filter is not asked. A filter in a cell that is tagged train (and not feature), one that compares a row with a
statistic, and one that the user calls training-only is none. Otherwise a further run decides, in which all other rows get other values and
the target's values change places: a rule on the row alone treats the rows that are still as they were alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nb2prod.config import Options
from nb2prod.counterfactual.inspection import Told
from nb2prod.path import filters
from nb2prod.path.composition import TRAINING_ONLY
from nb2prod.path.freezing import Rows, rows_learned_from
from nb2prod.recording.trace import Recording


@dataclass(frozen=True)
class Left:
    """A filter that left a row out: the statement and node, which of its executions, and its place (`cell.line`)."""

    k: int
    node: int
    occurrence: int
    place: str


def left_out(told: Told, table: int, options: Options) -> dict[int, Left]:
    """The changed rows that no prediction was made for, by the filter that may be a rule; those that another step lost are not among them."""
    predicted = set(told.rows.tolist())
    lost = sorted(told.changed - predicted)
    if not lost:
        return {}
    training = filters.told(told.recording, options.filters, TRAINING_ONLY, table, _learned(told.recording)).classes
    found: dict[int, Left] = {}
    for left, before, after in _filters(told.recording, table):
        # A filter off the path of the prediction lacks some of its rows.
        if not predicted <= after:
            continue
        for row in lost:
            if row not in found and row in before and row not in after:
                found[row] = left
    return {row: left for row, left in found.items() if training.get(left.place) != TRAINING_ONLY}


def _learned(recording: Recording) -> Rows:
    """By table, the rows that any of the run's models learned from."""
    found: dict[int, frozenset[int]] = {}
    for fit in recording.fits:
        for table, rows in rows_learned_from(recording, fit["lineage"]).items():
            found[table] = found.get(table, frozenset()) | rows
    return found


def still_rules(told: Told, shuffled: Recording, table: int, rows: int) -> frozenset[Left]:
    """The filters that treat rows alike in both runs; `rows` is how many the table has."""
    others = np.setdiff1d(np.arange(rows), sorted(told.changed))
    watched = np.union1d(others[1::2], sorted(told.changed))
    again = {left: (before, after) for left, before, after in _filters(shuffled, table)}
    found = set()
    for left, before, after in _filters(told.recording, table):
        if left not in again:
            continue
        both = [row for row in watched.tolist() if row in before and row in again[left][0]]
        if both and all((row in after) == (row in again[left][1]) for row in both):
            found.add(left)
    return frozenset(found)


def _filters(recording: Recording, table: int) -> Iterator[tuple[Left, set[int], set[int]]]:
    """The filters that ran, each with the rows of the table before and after."""
    counts: dict[tuple[int, int], int] = {}
    for step in recording.steps:
        for event in step.events:
            if event["kind"] != "filter":
                continue
            before, after = recording.rows_of(event["before"], table), recording.rows_of(event["after"], table)
            if before is None or after is None:
                continue
            site = (step.k, event["node"])
            counts[site] = counts.get(site, 0) + 1
            tree, _ = recording.statement(step.k)
            place = f"{tree.cell.number if tree.cell else 0}.{tree.line(tree.nodes[event['node']])}"
            yield Left(*site, counts[site], place), set(before.tolist()), set(after.tolist())
