"""Which raw columns matter, and which of them take null."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from nb2prod_runtime.equality import alike

from . import perturbations
from .coverage import coverage
from .project import Run, Trial, load
from .targets import deciding

PERTURBED = 100


def find_fields(trial: Trial) -> None:
    """A field is a column that changes the features, the answer or the row's survival when permuted, nulled or set constant."""
    predicted = trial.frame(trial.predicted)
    base = predicted.iloc[coverage(predicted, PERTURBED)].reset_index(drop=True)
    before = trial.run(base)
    rng = np.random.default_rng(3)
    columns = list(trial.raw.columns)
    # Most columns either matter when permuted or do not matter at all: one run for each, then one look at all the rest together.
    found = {c for c in columns if _matters(trial, base, before, [c], (perturbations.permuted,), rng)}

    def search(group: list[Any]) -> None:
        if not group or not _matters(
            trial, base, before, group, (perturbations.nulled, perturbations.constant, perturbations.other), rng
        ):
            return
        if len(group) == 1:
            found.add(group[0])
            return
        middle = len(group) // 2
        search(group[:middle])
        search(group[middle:])

    search([c for c in columns if c not in found])
    trial.answer["fields"] = [c for c in columns if c in found]


def _matters(
    trial: Trial,
    base: pd.DataFrame,
    before: Run,
    group: list[Any],
    changes: Sequence[Callable[..., Any]],
    rng: np.random.Generator,
) -> bool:
    for change in changes:
        changed = base.copy()
        for column in group:
            # The target is never sent: what matters is whether its valid values change anything, not whether code that handles it takes null.
            if change is not perturbations.nulled or column not in trial.answer["target"]:
                # Valid values of the target are those of rows that the notebook kept.
                seen = base[column] if column in trial.answer["target"] else trial.raw[column]
                changed[column] = change(seen, base[column], rng)
        after = _without(trial.run(changed), trial.answer["target"])
        if not _equal_runs(trial, _without(before, trial.answer["target"]), after, features=trial.job["argument"]):
            if len(group) == 1 and _changes_values(trial, before, after, features=trial.job["argument"]):
                trial.answer.setdefault("by_value", []).append(group[0])
            return True
    return False


def _changes_values(trial: Trial, a: Run, b: Run, *, features: bool) -> bool:
    """Whether a row that is answered before and after gets something else: its survival alone is not what the column changes."""
    kept = [i for i, (x, y) in enumerate(zip(a.codes, b.codes, strict=True)) if x is None and y is None]
    return not all(
        alike(a.predictions[i], b.predictions[i], trial.answers)
        and (not features or alike(a.features[i], b.features[i], trial.givens))
        for i in kept
    )


def _without(run: Run, target: Sequence[Any]) -> Run:
    """The run without the target among its features: a model that is given the whole table, as formulas are, need not read it."""
    named = set(map(str, target))
    if not named or not any(isinstance(made, dict) for made in run.features[:1]):
        return run
    made = [{k: v for k, v in f.items() if k not in named} if isinstance(f, dict) else f for f in run.features]
    return Run(made, run.predictions, run.reasons, run.codes)


def _equal_runs(trial: Trial, a: Run, b: Run, *, features: bool) -> bool:
    if a.codes != b.codes or not all(
        alike(x, y, trial.answers) for x, y in zip(a.predictions, b.predictions, strict=True)
    ):
        return False
    return not features or all(alike(x, y, trial.givens) for x, y in zip(a.features, b.features, strict=True))


def changing(trial: Trial) -> list[Any]:
    """The raw columns that change the answer itself when permuted."""
    kept = trial.frame(trial.predicted)
    base = kept.iloc[coverage(kept, PERTURBED)].reset_index(drop=True)
    before = trial.run(base, features=False)
    rng = np.random.default_rng(4)
    found = []
    for column in trial.raw.columns:
        changed = base.copy()
        changed[column] = perturbations.permuted(kept[column], base[column], rng)
        after = trial.run(changed, features=False)
        if not all(alike(a, b, trial.answers) for a, b in zip(before.predictions, after.predictions, strict=True)):
            found.append(column)
    return found


def find_nulls(trial: Trial) -> None:
    """Fields that take null although training saw none: the code answers, and the types that training had can hold it."""
    predicted = trial.frame(trial.predicted)
    base = predicted.iloc[coverage(predicted, 5)].reset_index(drop=True)
    passed = []
    for column in trial.answer["fields"]:
        dtype = trial.raw[column].dtype
        if trial.raw[column].isna().any() or (isinstance(dtype, np.dtype) and dtype.kind in "iub"):
            continue
        changed = base.copy()
        changed[column] = perturbations.nulled(trial.raw[column], base[column], np.random.default_rng(0))
        run = trial.run(changed, batching=bool(trial.answer.get("batching")), features=False)
        if all(c is None and p is not None for c, p in zip(run.codes, run.predictions, strict=True)):
            passed.append(column)
    trial.answer["null_passed"] = passed


def find_target(trial: Trial) -> None:
    """The raw columns that decide the `y` given to fit, found by comparing values row by row."""
    told = trial.job.get("target") or []
    trial.answer["target"] = [c for c in told if c in trial.raw.columns]
    trial.answer["target_how"] = "told" if told else None
    fit = trial.job.get("fit")
    if told or not fit:
        return
    fields = trial.answer.get("fields", [])
    raw = load(fit["raw"]) if "raw" in fit else trial.raw
    found = deciding(raw, np.load(fit["rows"]), load(fit["y"]), fields)
    # In another table than the one that is served, a column of the name that features are made of is no target here.
    kept = trial.answer.get("by_value", []) if "raw" in fit else []
    trial.answer["target"] = [c for c in trial.raw.columns if c in found and c not in kept]
    trial.answer["target_how"] = next(iter(found.values()), None)
