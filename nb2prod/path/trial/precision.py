"""How finely the path's numbers can be compared, and whether it gives a row the same answer when it is asked again."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from nb2prod_runtime.equality import PRECISION, Measure, Tolerance, same
from nb2prod_runtime.precision import dtypes_of, measured

from .coverage import coverage
from .project import Run, Trial

ASKED, ALONE, TIMES, SECONDS = 100, 8, 4, 4.0
_STEADY = 1e3
"""How many times what a float's precision allows two answers to one row may differ: beyond, it is no rounding."""


def measure(trial: Trial, *, shortly: bool = False) -> None:
    """Ask for the same rows again and again, and note by place what float holds the numbers, how far apart they lie, and what they differ by.

    Rows alone are asked as often as rows together only where two runs have differed; `shortly` for a path of which only its replay counts.
    Leaves `trial.answers` and `trial.givens`, and in the answer `precision`; `unsteady` (row, first, second) where more than rounding differs.
    """
    predicted = trial.frame(trial.predicted)
    positions = coverage(predicted, ASKED)
    together = _asked(lambda: trial.run(predicted.iloc[positions].reset_index(drop=True)), 2 if shortly else TIMES)
    few = positions[:: max(1, len(positions) // ALONE)][:ALONE]
    steady = all(run == together[0] for run in together)
    times = TIMES if not steady else 1 if shortly else 2
    alone = _asked(lambda: trial.run(predicted.iloc[few].reset_index(drop=True), batching=False), times)
    rows = [positions.index(at) for at in few]
    answers = _measured(
        trial.expected or together[0].predictions,
        dtypes_of(trial.value),
        [[run.predictions for run in together], [run.predictions for run in alone]],
    )
    givens = _measured(
        trial.given or together[0].features,
        dtypes_of(trial.argument),
        [[run.features for run in together], [run.features for run in alone]],
    )
    trial.answers, trial.givens = replace(trial.answers, measured=answers), replace(trial.givens, measured=givens)
    singly = [together[0].predictions[at] for at in rows]
    if singly != alone[0].predictions:
        answers = _widened(trial, answers)
        trial.answers = replace(trial.answers, measured=answers)
    if _rounded_coarsely(trial, singly, alone[0].predictions) and _holds_float32(trial, predicted.iloc[few]):
        answers = {place: replace(item, dtype="float32") for place, item in answers.items()}
        trial.answers = replace(trial.answers, measured=answers)
    trial.answer["precision"] = {
        "answers": {place: item.to_json() for place, item in answers.items()},
        "features": {place: item.to_json() for place, item in givens.items()},
    }
    trial.answer["unsteady"] = _unsteady(trial, positions, together) or _unsteady(trial, few, alone)


def _asked(ask: Callable[[], Run], times: int) -> list[Run]:
    started = time.perf_counter()
    runs = [ask() for _ in range(min(2, times))]
    while len(runs) < times and time.perf_counter() - started < SECONDS:
        runs.append(ask())
    return runs


def _measured(
    values: Sequence[Any], dtypes: dict[str, str], runs: Sequence[Sequence[Sequence[Any]]]
) -> dict[str, Measure]:
    found: dict[str, Measure] = measured(values, dtypes)
    for again in runs:
        for place, item in measured(again[0], dtypes, again).items():
            known = found.get(place, item)
            found[place] = replace(known, noise=max(known.noise, item.noise))
    return found


def _widened(trial: Trial, answers: dict[str, Measure]) -> dict[str, Measure]:
    """Spreads that the other rows' answers show too: where all that is predicted is nought, that alone does not tell how coarsely it was summed."""
    others = np.setdiff1d(np.arange(len(trial.evidence)), trial.predicted)
    if not len(others):
        return answers
    frame = trial.evidence.iloc[others].reset_index(drop=True)
    run = trial.run(frame.iloc[coverage(frame, ASKED)].reset_index(drop=True))
    shown = measured(run.predictions, dtypes_of(trial.value))
    return {
        place: replace(item, spread=max(item.spread, shown[place].spread)) if place in shown else item
        for place, item in answers.items()
    }


def _unsteady(trial: Trial, positions: Sequence[int], runs: Sequence[Run]) -> dict[str, Any] | None:
    """The first row that got two answers of which no rounding can be the cause."""
    own = {
        place: replace(item, noise=_STEADY * PRECISION[item.dtype] * item.spread)
        for place, item in trial.answers.measured.items()
    }
    coarsest = max((PRECISION[item.dtype] for item in own.values()), default=PRECISION["float64"])
    rounding = Tolerance(_STEADY * coarsest, measured=own)
    for run in runs[1:]:
        for at, (one, other) in enumerate(zip(runs[0].predictions, run.predictions, strict=True)):
            if not same(one, other, rounding):
                return {"row": int(trial.predicted[positions[at]]), "first": one, "second": other}
    return None


def _rounded_coarsely(trial: Trial, together: Sequence[Any], alone: Sequence[Any]) -> bool:
    """Whether rows alone and among others differ by what rounds a float32 and not by more."""
    if all(same(a, b, trial.answers) for a, b in zip(together, alone, strict=True)):
        return False
    coarse = {place: replace(item, dtype="float32") for place, item in trial.answers.measured.items()}
    allowed = Tolerance(measured=coarse)
    return all(same(a, b, allowed) for a, b in zip(together, alone, strict=True))


def _holds_float32(trial: Trial, rows: pd.DataFrame) -> bool:
    """Whether something that the path calls gives float32s: a model's own float, whatever its answers became later."""
    found = False

    def watch(_frame: Any, event: str, value: Any) -> None:
        nonlocal found
        if event == "return" and str(getattr(value, "dtype", "")).endswith("float32"):
            found = True

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        trial.run(rows.reset_index(drop=True))
    finally:
        sys.setprofile(before)
    return found
