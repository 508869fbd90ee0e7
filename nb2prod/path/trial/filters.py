"""Which filters belong to training: their verdict on a row looks at other rows or at the target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from .coverage import coverage, notable
from .project import Run, Trial

FILTERED = 300


def settle_filters(trial: Trial) -> None:
    """Which validity rules really belong to training: their verdict changes with the target, or on half of the rows, or refuses a predicted row."""
    rng = np.random.default_rng(1)
    others = np.setdiff1d(np.arange(len(trial.raw)), trial.predicted)
    predicted = trial.predicted[coverage(trial.frame(trial.predicted), FILTERED // 2)]
    extra = rng.permutation(others)[: FILTERED // 2] if len(others) else np.array([], dtype="int64")
    rows = np.concatenate([predicted, extra]).astype("int64")
    frame = trial.frame(rows)
    whole = trial.run(frame, features=None)
    evidence = _Evidence(trial.job.get("rules") or [])
    refused = {
        r for r, c in zip(whole.reasons[: len(predicted)], whole.codes, strict=False) if c == "row_refused" and r
    }
    for verdict in refused:
        evidence.found.setdefault(verdict, "it would refuse rows that the notebook predicted")
    for start in (0, 1):
        half = list(range(start, len(rows), 2))
        part = trial.run(frame.iloc[half].reset_index(drop=True), features=None)
        for position, at in enumerate(half):
            evidence.changed(whole, at, part, position, "a row's fate differs when half of the rows are there")
    some = frame.iloc[: FILTERED // 3]
    twice = trial.run(pd.concat([some, some], ignore_index=True), features=None)
    for at in range(len(some)):
        evidence.changed(whole, at, twice, at + len(some), "a row's fate differs when the same row is there before it")
    for target in trial.answer["target"]:
        for values in (frame[target].to_numpy()[rng.permutation(len(frame))], *_all_of(trial.raw[target], len(frame))):
            other = frame.copy()
            other[target] = values
            changed = trial.run(other, features=None)
            for at in range(len(frame)):
                evidence.changed(whole, at, changed, at, f"a row's fate changes with the target {target!r}")
    trial.answer["training_only"] = evidence.found
    counts: dict[str, int] = {}
    for reason, code in zip(whole.reasons, whole.codes, strict=True):
        if code == "row_refused" and reason:
            counts[reason] = counts.get(reason, 0) + 1
    trial.answer["refused"] = {"rows": len(rows), "by_rule": counts}


def _all_of(column: pd.Series[Any], count: int) -> list[Any]:
    """Each of the column's extremes and rare values for every row: a filter may leave out one that hardly a row has."""
    told = {str(v): v for v in (column.iloc[at] for at in notable(column))}
    if column.nunique() <= 20:
        told |= {str(v): v for v in column.value_counts().index[-5:]}
    return [pd.Series([v] * count, dtype=column.dtype).to_numpy() for v in told.values()]


@dataclass
class _Evidence:
    """Why rules belong to training, by what a refused row is told. `rules`: their texts in the order in which they run."""

    rules: list[str]
    found: dict[str, str] = field(default_factory=dict)

    def changed(self, a: Run, i: int, b: Run, j: int, why: str) -> None:
        """Note the rule whose verdict on a row differs between two runs: of two that refused it the earlier one, which hid the other."""
        if a.codes[i] == b.codes[j] and a.reasons[i] == b.reasons[j]:
            return
        said = [
            str(run.reasons[at]) for run, at in ((a, i), (b, j)) if run.codes[at] == "row_refused" and run.reasons[at]
        ]
        if said:
            self.found.setdefault(min(said, key=self._order), why)

    def _order(self, reason: str) -> int:
        return next((n for n, rule in enumerate(self.rules) if reason.endswith(rule)), len(self.rules))
