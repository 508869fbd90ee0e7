"""Which filters belong to training: their verdict on a row looks at other rows or at the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from .column_values import Literals, of_column
from .coverage import coverage, notable
from .experiment import changed
from .project import Run, Trial

FILTERED = 300


def settle_filters(trial: Trial) -> None:
    """Which validity rules really belong to training: their verdict changes with the target, or on half of the rows, or refuses a predicted row.

    A rule that asks something of the target and something else of the features (`dropna()` over both) stays a rule by what it asks of the features
    (`partly`, with the reason); the target of a request's row is one that passed.
    """
    rng = np.random.default_rng(1)
    known = trial.evidence.reset_index(drop=True)
    others = np.setdiff1d(np.arange(len(known)), trial.predicted)
    predicted = trial.predicted[coverage(trial.frame(trial.predicted), FILTERED // 2)]
    extra = others[coverage(known.iloc[others].reset_index(drop=True), FILTERED // 2)] if len(others) else others
    rows = np.concatenate([predicted, extra]).astype("int64")
    frame = known.iloc[rows].reset_index(drop=True)
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
    trial.answer["partly"] = {}
    for target in trial.answer["target"]:
        _by_target(trial, frame, whole, target, evidence, rng)
    trial.answer["training_only"] = evidence.found
    counts: dict[str, int] = {}
    for reason, code in zip(whole.reasons, whole.codes, strict=True):
        if code == "row_refused" and reason:
            counts[reason] = counts.get(reason, 0) + 1
    trial.answer["refused"] = {"rows": len(rows), "by_rule": counts}


def _by_target(
    trial: Trial, frame: pd.DataFrame, whole: Run, target: Any, evidence: _Evidence, rng: np.random.Generator
) -> None:
    """Note the rules whose verdict changes with a target, but for those of which a part asks nothing of it."""
    own = _Evidence(evidence.rules)
    column = trial.raw[target]
    shuffled = frame[target].to_numpy()[rng.permutation(len(frame))]
    alike = [trial.run(_holding(frame, target, values), features=None) for values in _all_of(column, len(frame))]
    for run in (trial.run(_holding(frame, target, shuffled), features=None), *alike):
        for at in range(len(frame)):
            own.changed(whole, at, run, at, f"a row's fate changes with the target {target!r}")
    for rule, why in own.found.items():
        if rule in evidence.found:
            continue
        verdicts = [evidence.verdicts(run, rule) for run in alike]
        asks = separable(verdicts) and _asks_of_features(trial, frame, evidence, rule, verdicts)
        if asks:
            trial.answer["partly"][rule] = (
                f"what it asks of the features holds for a request; what it asks of the target {target!r} is training's"
            )
        else:
            evidence.found.setdefault(rule, why)


def separable(verdicts: Sequence[Sequence[bool | None]]) -> bool:
    """Whether a rule asks something of the row and something of the target, each by itself.

    `verdicts` holds, for each value of the target, whether each row is refused (None where that can't be told). With a value that does not pass
    all rows are refused; with one that does, always the same ones. A rule that holds the one against the other is none of these.
    """
    passing = [row for row in verdicts if not _refuses_all(row)]
    return bool(passing) and all(
        len({refused for refused in column if refused is not None}) <= 1 for column in zip(*passing, strict=True)
    )


def _asks_of_features(
    trial: Trial, frame: pd.DataFrame, evidence: _Evidence, rule: str, verdicts: Sequence[Sequence[bool | None]]
) -> bool:
    """Whether the rule refuses any row for its features: one of these rows, or one that lacks something or lies beyond what was seen."""
    if any(any(row) for row in verdicts if not _refuses_all(row)):
        return True
    kept = trial.frame(trial.predicted)
    for at, name in enumerate(frame.columns):
        if name in trial.answer["target"]:
            continue
        tried = of_column(trial.evidence.iloc[:, at], Literals.of_project(trial.project))
        rows = kept.iloc[np.resize(np.arange(len(kept)), len(tried.own) + 1)].reset_index(drop=True)
        made = changed(rows, {at: (range(len(tried.own)), tried.series.array)})
        missing = made.iloc[[len(made) - 1]].astype({name: object}) if made.columns.is_unique else made.iloc[:0]
        missing[name] = None
        for odd in (made, missing):
            run = trial.run(odd.reset_index(drop=True), features=None)
            if any(evidence.verdicts(run, rule)):
                return True
    return False


def _refuses_all(row: Sequence[bool | None]) -> bool:
    return all(refused for refused in row if refused is not None)


def _holding(frame: pd.DataFrame, target: Any, values: Any) -> pd.DataFrame:
    other = frame.copy()
    other[target] = values
    return other


def _all_of(column: pd.Series[Any], count: int) -> list[Any]:
    """Each of the column's extremes and rare values for every row: a filter may leave out one that hardly a row has."""
    told = {str(v): v for v in (column.iloc[at] for at in notable(column))}
    if column.nunique() <= 20:
        told |= {str(v): v for v in column.value_counts().index[-5:]}
    missing = [column[column.isna()].iloc[0]] if column.isna().any() else []
    return [pd.Series([v] * count, dtype=column.dtype).to_numpy() for v in (*told.values(), *missing)]


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

    def verdicts(self, run: Run, rule: str) -> list[bool | None]:
        """Whether the rule refuses each row; None where another did before it, or the code fails. What a later rule refuses has passed this one."""

        def verdict(code: str | None, reason: str | None) -> bool | None:
            if code is None or reason == rule:
                return code is not None
            later = code == "row_refused" and self._order(str(reason)) > self._order(rule)
            return False if later else None

        return [verdict(code, reason) for code, reason in zip(run.codes, run.reasons, strict=True)]

    def _order(self, reason: str) -> int:
        return next((n for n, rule in enumerate(self.rules) if reason.endswith(rule)), len(self.rules))
