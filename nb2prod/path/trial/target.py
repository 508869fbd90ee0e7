"""The target: the raw columns that decide the `y` given to fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from nb2prod_runtime.equality import alike

from .coverage import coverage
from .project import Trial, load
from .targets import deciding, ranking

PERTURBED = 100


def changing(trial: Trial) -> list[Any]:
    """The raw columns that change the answer itself when permuted."""
    kept = trial.frame(trial.predicted)
    base = kept.iloc[coverage(kept, PERTURBED)].reset_index(drop=True)
    before = trial.run(base, features=None)
    rng = np.random.default_rng(4)
    found = []
    for column in trial.raw.columns:
        changed = base.copy()
        changed[column] = kept[column].iloc[rng.permutation(len(kept))[: len(base)]].set_axis(base.index)
        after = trial.run(changed, features=None)
        if not all(alike(a, b, trial.answers) for a, b in zip(before.predictions, after.predictions, strict=True)):
            found.append(column)
    return found


def find_target(trial: Trial) -> None:
    """The raw columns that decide the `y` given to fit, found by comparing values row by row."""
    told = trial.job.get("target") or []
    trial.answer["target"] = [c for c in told if c in trial.raw.columns]
    trial.answer["target_how"] = "told" if told else None
    fit = trial.job.get("fit")
    if told or not fit:
        return
    fields = trial.answer.get("fields", [])
    if trial.ranked is None:
        raw = load(fit["raw"]) if "raw" in fit else trial.raw
        trial.ranked = ranking(raw, np.load(fit["rows"]), load(fit["y"]))
    found = deciding(trial.ranked, fields)
    # In another table than the one that is served, a column of the name that features are made of is no target here.
    kept = trial.answer.get("by_value", []) if "raw" in fit else []
    trial.answer["target"] = [c for c in trial.raw.columns if c in found and c not in kept]
    trial.answer["target_how"] = next(iter(found.values()), None)
