"""What was true of the predicted rows, in the unit of the prediction, and how probable the model held it.

A part of the trial, run in the kernel's own Python. The target of rows that were not fitted is the raw column that the fitted `y` equals, or
what the notebook's own statements for `y` give them; `stand_ins.py` puts it into the unit of the prediction. Gives plain values, as JSON
carries them.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from nb2prod_runtime import encoding, outputs
from nb2prod_runtime.equality import PRECISION, Tolerance, alike
from nb2prod_runtime.model import Model
from nb2prod_runtime.signature import Signature

from .project import Trial, load
from .stand_ins import ServedRun, Unknown, alone, members

EVALUATED, ALONE, COMPARED = 20_000, 400, 2_000
"""Rows that are evaluated at most, if they run together or each alone; rows by which the way to the target is checked."""


@dataclass
class Target:
    """The `y` that the model was fitted to."""

    by_row: dict[int, Any]
    """By raw row; empty where they are another table's rows."""
    dtype: Any
    equal: tuple[Any, ...]
    """The raw columns that hold the same values."""


def outcomes(trial: Trial, job: dict[str, Any]) -> dict[str, Any]:
    """Rows, predictions, truth and scores of the rows that were not trained on, or else of those that were; or "reason" alone.

    `trial` is the project as it was tried last, `job` what `outcomes.py` asks.
    """
    try:
        return _Truths(trial, job).outcomes()
    except Unknown as reason:
        return {"reason": str(reason)}
    except Exception as problem:  # no build fails for want of metrics
        return {
            "reason": f"The true values of the predicted rows could not be worked out ({type(problem).__name__}: {problem})."
        }


@dataclass
class _Truths:
    trial: Trial
    job: dict[str, Any]

    def outcomes(self) -> dict[str, Any]:
        predicted = self.trial.predicted
        trained, beside = (set(np.load(self.job[name]).tolist()) for name in ("trained", "beside"))
        held = [at for at, row in enumerate(predicted) if int(row) not in trained]
        pool = held or list(range(len(predicted)))
        most = EVALUATED if self.trial.answer.get("batching") else ALONE
        drawn = len(pool) > most
        if drawn:
            pool = sorted(np.random.default_rng(0).choice(pool, most, replace=False).tolist())
        y = self._of_rows(predicted[pool])
        kept = [at for at, value in enumerate(y) if not _missing(value)]
        if not kept:
            raise Unknown("The raw table holds no value of the target for the predicted rows.")
        positions = [pool[at] for at in kept]
        rows = predicted[positions]
        run = ServedRun(self.trial, positions, [y[at] for at in kept])
        frame = self.trial.frame(rows)
        return {
            "reason": None,
            "kind": "held out" if held else "training",
            "predicted": len(predicted),
            "trained": sum(int(row) in trained for row in predicted),
            "beside": sum(int(row) in beside for row in rows),
            "missing": len(pool) - len(kept),
            "drawn": drawn,
            "row_ids": [int(row) for row in rows],
            "rows": _sent(self.trial, frame),
            "keys": _keys(frame),
            "predictions": run.expected,
            **run.measured(self.job.get("probabilities")),
        }

    # -- the target --

    def _of_rows(self, rows: npt.NDArray[np.int64]) -> list[Any]:
        """The values that `y` has, or would have, for these raw rows."""
        target = self._target()
        if all(int(row) in target.by_row for row in rows):
            return [target.by_row[int(row)] for row in rows]
        if target.equal:
            found = _plain(self.trial.raw.loc[:, list(target.equal)].iloc[list(rows)], len(rows))
            return found if any(map(_missing, found)) else _typed(found, target.dtype)
        if self.job["y_project"] is None:
            raise Unknown(self.job["no_path"])
        return self._by_path(rows, target)

    def _target(self) -> Target:
        values: dict[int, Any] = {}
        equal = [c for c in self.trial.answer["target"] if c in self.trial.raw.columns]
        dtype: Any = None
        for fit in self.job["fits"]:
            y, numbers = load(fit["y"]), np.load(fit["rows"])
            dtype = getattr(y, "dtype", None)
            found = _plain(y, len(numbers))
            raw = self.trial.raw if fit["raw"] is None else load(fit["raw"])
            equal = equal if _equals(raw, equal, numbers, found, _precision(dtype)) else []
            for row, value in zip(numbers, found, strict=True):
                if row < 0 or fit["raw"] is not None:
                    continue
                if not alike(values.setdefault(int(row), value), value, _precision(dtype)):
                    raise Unknown("The prediction is made by models that were fitted to different targets.")
        return Target(values, dtype if isinstance(dtype, np.dtype) else None, tuple(equal))

    def _by_path(self, rows: npt.NDArray[np.int64], target: Target) -> list[Any]:
        """What the notebook's own statements for `y` give these rows; believed only where they give fitted rows the fitted values."""
        fitted = sorted(target.by_row)
        if len(fitted) > COMPARED:
            fitted = sorted(np.random.default_rng(0).choice(fitted, COMPARED, replace=False).tolist())
        try:
            self._use(self.job["y_project"])
            made = self.trial.run(self.trial.frame([*fitted, *rows.tolist()]), features=None).predictions
        finally:
            self._use(self.trial.job["project"])
        made = alone(made)
        if not all(
            alike(a, target.by_row[row], _precision(target.dtype)) for a, row in zip(made, fitted, strict=False)
        ):
            raise Unknown(
                "The notebook's lines that make the target, run once more, gave the fitted rows other values than they were fitted to."
            )
        return made[len(fitted) :]

    def _use(self, project: str) -> None:
        for name in ("features", "predict"):
            sys.modules.pop(name, None)
        self.trial.model = Model.load(Path(project))


def _precision(dtype: Any) -> Tolerance:
    """Up to which difference targets are the same: boosters keep labels as float32."""
    return Tolerance(PRECISION["float32" if dtype == np.float32 else "float64"])


def _equals(
    raw: pd.DataFrame, columns: list[Any], rows: npt.NDArray[np.int64], found: list[Any], precision: Tolerance
) -> bool:
    """Whether these columns hold the values that were found for these rows."""
    if not columns or any(c not in raw.columns for c in columns):
        return False
    known = np.flatnonzero(rows >= 0)
    own = _plain(raw.loc[:, columns].iloc[rows[known].tolist()], len(known))
    return all(alike(a, found[at], precision) for a, at in zip(own, known, strict=True))


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, (list, dict)) and any(v is None for v in members(value)))


def _plain(value: Any, count: int) -> list[Any]:
    return alone(outputs.per_row(value, count))


def _typed(values: list[Any], dtype: Any) -> list[Any]:
    """The values as an array of this type has them, where it can hold them."""
    try:
        return values if dtype is None else np.asarray(values).astype(dtype).tolist()
    except (TypeError, ValueError):
        return values


def _sent(trial: Any, frame: pd.DataFrame) -> list[dict[str, Any]]:
    made = Signature.from_json({"schema": 1, "columns": trial.answer["columns"]})
    found: list[dict[str, Any]] = encoding.encode(frame, made)
    return found


def _keys(frame: pd.DataFrame) -> list[str]:
    """A digest of all that the raw row holds, by which a later release may know the row again; equal rows are numbered."""
    order = sorted(range(frame.shape[1]), key=lambda at: str(frame.columns[at]))
    names = [str(frame.columns[at]) for at in order]
    columns = [outputs.per_row(frame.iloc[:, at], len(frame)) for at in order]
    seen: dict[str, int] = {}
    found = []
    for values in zip(*columns, strict=True):
        text = json.dumps(list(zip(names, values, strict=True)), ensure_ascii=True, default=str)
        key = hashlib.blake2b(text.encode(), digest_size=9).hexdigest()
        seen[key] = seen.get(key, 0) + 1
        found.append(key if seen[key] == 1 else f"{key}-{seen[key]}")
    return found
