"""Does the served path give the notebook's own answers, each row alone and all together?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nb2prod_runtime.equality import alike

from .coverage import coverage
from .project import Run, Trial

# The rehearsal here is the smaller one: the proof over HTTP replays more rows.
REHEARSED, SINGLES = 500, 60
FEW = 20
"""So few predicted rows say little of how rows are answered in company."""


def replay(trial: Trial) -> None:
    """Single rows first (they are the definition), then all together: is every answer, and every feature, the notebook's own?"""
    predicted = trial.frame(trial.predicted)
    positions = coverage(predicted, SINGLES)
    if trial.job.get("replay_only"):
        # One row that differs says all: whoever asks chooses between ways to serve the path.
        first = _differences(
            trial, positions[:1], trial.run(predicted.iloc[positions[:1]].reset_index(drop=True), batching=False)
        )
        if first:
            trial.answer["mismatches"], trial.answer["batch_ok"] = first, False
            return
    alone = trial.run(predicted.iloc[positions].reset_index(drop=True), batching=False)
    singles = _differences(trial, positions, alone)
    many = coverage(predicted, REHEARSED)
    frame = predicted.iloc[many].reset_index(drop=True)
    together = trial.run(frame)
    batch = _differences(trial, many, together)
    trial.answer["replayed"] = len(many)
    trial.answer["singles"] = len(positions)
    if singles:
        trial.answer["mismatches"] = singles[:20]
        trial.answer["batch_ok"] = not batch
        return
    trial.answer["mismatches"] = []
    modules = ("features.py", "predict.py")
    row_by_row = any("rules.one_row(" in (Path(trial.job["project"]) / name).read_text() for name in modules)
    alike_in_company = not row_by_row and not batch and _independent(trial, frame, together)
    trial.answer["batching"] = alike_in_company and (len(many) >= FEW or _independent_of_others(trial))


def _independent_of_others(trial: Trial) -> bool:
    """The notebook predicted a few rows only: the table's other rows alone, and among each other, are answered alike."""
    others = trial.frame(np.setdiff1d(np.arange(len(trial.raw)), trial.predicted))
    frame = pd.concat([trial.frame(trial.predicted), others.iloc[coverage(others, FEW)]], ignore_index=True)
    if len(frame) == 1:
        frame = pd.concat([frame] * 3, ignore_index=True)
    alone, together = trial.run(frame, batching=False), trial.run(frame)
    answered = all(map(trial.same, alone.predictions, together.predictions)) and alone.codes == together.codes
    return answered and all(alike(a, b, trial.givens) for a, b in zip(alone.features, together.features, strict=True))


def _independent(trial: Trial, frame: pd.DataFrame, whole: Run) -> bool:
    """Halves and a permutation give each row the same."""
    rng = np.random.default_rng(2)
    parts = [np.arange(0, len(frame), 2), np.arange(1, len(frame), 2), rng.permutation(len(frame))]
    for part in parts:
        if not len(part):
            continue
        got = trial.run(frame.iloc[part].reset_index(drop=True))
        for position, at in enumerate(part):
            if (
                not trial.same(whole.predictions[at], got.predictions[position])
                or whole.codes[at] != got.codes[position]
            ):
                return False
            if not alike(whole.features[at], got.features[position], trial.givens):
                return False
    return True


def _differences(trial: Trial, positions: Sequence[int], run: Run) -> list[dict[str, Any]]:
    out = []
    for i, position in enumerate(positions):
        expected = trial.expected[position]
        given = trial.given[position] if trial.given is not None else None
        wrong_feature = given is not None and run.codes[i] is None and not alike(given, run.features[i], trial.givens)
        if run.codes[i] is None and trial.same(expected, run.predictions[i]) and not wrong_feature:
            continue
        out.append(
            {
                "row": int(trial.predicted[position]),
                "expected": expected,
                "actual": run.predictions[i],
                "reason": run.reasons[i],
                "code": run.codes[i],
                "feature": _first_feature(given, run.features[i], trial) if wrong_feature else None,
            }
        )
    return out


def _first_feature(expected: Any, actual: Any, trial: Trial) -> dict[str, Any] | None:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in expected:
            if key not in actual or not alike(expected[key], actual[key], trial.givens.at(key)):
                return {"name": key, "expected": expected[key], "actual": actual.get(key)}
    names = trial.answer.get("names")
    if isinstance(expected, list) and isinstance(actual, list):
        for i, (a, b) in enumerate(zip(expected, actual, strict=False)):
            if not alike(a, b, trial.givens.at(f"[{i}]")):
                return {"name": names[i] if names and i < len(names) else f"#{i}", "expected": a, "actual": b}
    return None
