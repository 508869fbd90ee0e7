"""Rows asked with some of their columns changed, and whether what they get differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from nb2prod_runtime import outputs
from nb2prod_runtime.equality import Tolerance, alike
from nb2prod_runtime.precision import measured

from .project import Run, Trial

_HEAD, _FAILING = 60, 30
"""Rows that are asked first, and how many more may then be expected to fail."""


@dataclass
class Asked:
    """Rows that were asked, by position, and what each got."""

    frame: pd.DataFrame
    run: Run

    def take(self, positions: Sequence[int]) -> Asked:
        """Some of them."""
        run = self.run
        parts = ([values[at] for at in positions] for values in (run.features, run.predictions, run.reasons, run.codes))
        return Asked(self.frame.iloc[list(positions)].reset_index(drop=True), Run(*parts))

    @property
    def steady(self) -> list[int]:
        """Positions of the rows that the code does not fail on: they are answered, or refused by a rule."""
        return [at for at, code in enumerate(self.run.codes) if code in (None, "row_refused")]


@dataclass
class Path:
    """The served path as experiments ask it.

    What `features` returns counts as well as the answer, but for the parts of it that are named in `unread`: nothing comes of them.
    """

    trial: Trial
    batching: bool
    unread: set[str] = field(default_factory=set)
    equal: Tolerance = field(default_factory=Tolerance)

    def ask(self, frame: pd.DataFrame) -> Asked:
        """What these rows get: all together where the trial showed that a row's answer is its own, else each alone."""
        return Asked(frame, self.trial.run(frame, batching=self.batching, features=self._parts))

    def ask_steady(self, frame: pd.DataFrame) -> Asked:
        """Those of the rows that the code does not fail on; where it fails on many, not all are asked, for each of them takes a run of its own."""
        head = self.ask(frame.iloc[:_HEAD].reset_index(drop=True))
        failing = len(head.frame) - len(head.steady)
        more = len(frame) if not failing else _HEAD + int(_FAILING * _HEAD / failing)
        rest = frame.iloc[_HEAD:more].reset_index(drop=True)
        parts = [head, self.ask(rest)] if len(rest) else [head]
        asked = _joined(parts)
        return asked.take(asked.steady or range(len(asked.frame)))

    def calibrate(self, one: Run, other: Run) -> None:
        """Take from two runs over the same rows how finely features can be compared."""
        rows = [made for made in one.features if made is not None]
        again = [[made for made in run.features if made is not None] for run in (one, other)]
        self.equal = replace(self.trial.givens, measured=measured(rows, again=again))

    def differs(self, one: Run, i: int, other: Run, j: int, *, failing: bool = True) -> str | None:
        """How two rows' outcomes differ: "answer", "features" or "survival"; None where they are equal.

        A row on which the code fails differs only where `failing` counts: a value that nobody had may well be one that the code can't take.
        """
        a, b = one.codes[i], other.codes[j]
        if "row_failed" in (a, b) and not failing:
            return None
        if a != b or (a == "row_refused" and one.reasons[i] != other.reasons[j]):
            return "survival"
        if a is not None:
            return None
        if not alike(one.predictions[i], other.predictions[j], self.trial.answers):
            return "answer"
        return "features" if self.changed_features(one.features[i], other.features[j]) else None

    def changed_features(self, one: dict[str, Any] | None, other: dict[str, Any] | None) -> set[str]:
        """The parts of what `features` returned that differ between two rows."""
        if one == other or one is None or other is None:
            return set()
        names = (one.keys() | other.keys()) - self.unread
        return {
            k for k in names if one.get(k) != other.get(k) and not alike(one.get(k), other.get(k), self.equal.at(k))
        }

    def _parts(self, given: Any, n: int) -> list[dict[str, Any]]:
        """All that `features` returned with an entry a row: by number of the part and name of the column, one dict a row."""
        rows: list[dict[str, Any]] = [{} for _ in range(n)]
        for at, part in enumerate(given if isinstance(given, tuple) else (given,)):
            try:
                values = outputs.per_row(part, n)
            except outputs.NotOnePerRow:
                continue
            for row, value in zip(rows, values, strict=True):
                row.update(_flat(value, f"{at}:"))
        return rows


def _joined(parts: Sequence[Asked]) -> Asked:
    """All of these rows, one part after the other."""
    runs = [part.run for part in parts]
    run = Run(
        [made for run in runs for made in run.features],
        [made for run in runs for made in run.predictions],
        [reason for run in runs for reason in run.reasons],
        [code for run in runs for code in run.codes],
    )
    return Asked(pd.concat([part.frame for part in parts], ignore_index=True), run)


def _flat(value: Any, prefix: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return {f"{prefix}{name}": item for name, item in value.items()}
    if isinstance(value, list):
        return {f"{prefix}[{at}]": item for at, item in enumerate(value)}
    return {prefix: value}


def changed(frame: pd.DataFrame, values: Mapping[int, tuple[Sequence[int], Any]]) -> pd.DataFrame:
    """The rows with other values: by column's position, which rows get which values (an array of the column's own type)."""
    arrays = []
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at].array
        if at in values:
            rows, new = values[at]
            column = column.copy()
            column[np.asarray(rows)] = new
        arrays.append(column)
    made = pd.DataFrame(dict(enumerate(arrays)))
    made.columns = frame.columns
    return made


def smallest(parts: Sequence[int], differs: Callable[[Sequence[int]], bool]) -> list[int]:
    """A smallest set of these changes that still makes the difference, by Zeller and Hildebrandt's delta debugging (2002).

    `differs` holds for all of them. None of those that are left can be spared: each changes the outcome beside the others.
    """
    left, pieces = list(parts), 2
    while len(left) > 1:
        size = -(-len(left) // pieces)
        groups = [left[start : start + size] for start in range(0, len(left), size)]
        some = next((group for group in groups if differs(group)), None)
        if some is not None:
            left, pieces = some, 2
            continue
        rest = [[x for x in left if x not in group] for group in groups] if len(groups) > 2 else []
        most = next((others for others in rest if differs(others)), None)
        if most is not None:
            left, pieces = most, max(2, len(groups) - 1)
        elif size == 1:
            break
        else:
            pieces = min(len(left), 2 * pieces)
    return left
