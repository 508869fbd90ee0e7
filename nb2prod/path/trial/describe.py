"""What the trial found, as the service and the proof need it: the signature's columns, the prediction's form, the cases of the replay."""

from __future__ import annotations

from typing import Any

import pandas as pd
from nb2prod_runtime import describe, encoding
from nb2prod_runtime.columns import codec_of
from nb2prod_runtime.signature import Signature

from .coverage import coverage
from .project import Trial
from .scale import of_prediction

REPLAYED = 5000


def signature(trial: Trial) -> None:
    """The raw columns as the service must know them, the prediction's and the features' forms, and the parity cases on the wire."""
    fields = trial.answer["fields"]
    target = trial.answer["target"]
    nullable = trial.answer["null_passed"]
    columns, broken = [], []
    for label in trial.raw.columns:
        try:
            columns.append(
                described(trial, label, field=label in fields, target=label in target, nullable=label in nullable)
            )
        except describe.Undescribable as problem:
            broken.append({"column": str(label), "field": label in fields, "problem": str(problem)})
    trial.answer["columns"] = columns
    trial.answer["undescribable"] = broken


def described(trial: Trial, label: Any, *, field: bool, target: bool = False, nullable: bool = False) -> dict[str, Any]:
    """A raw column as the signature has it. What stands in for the target is one of the predicted rows' own: no rule of the notebook's refused it.

    Raises `describe.Undescribable`.
    """
    form: dict[str, Any] = describe.column(trial.raw[label], field=field, target=target, nullable=nullable)
    kept = trial.frame(trial.predicted)[label]
    if target and not field and kept.notna().any():
        form["phantom"] = describe.column(kept, field=False, target=True)["phantom"]
    return form


def cases(trial: Trial) -> None:
    """Request rows for the replay, with what the notebook answered."""
    made = Signature.from_json({"schema": 1, "columns": trial.answer["columns"]})
    predicted = trial.frame(trial.predicted)
    positions = coverage(predicted, REPLAYED)
    frame = predicted.iloc[positions].reset_index(drop=True)
    trial.answer["rows"] = encoding.encode(frame, made)
    trial.answer["expected"] = [trial.expected[p] for p in positions]
    trial.answer["row_ids"] = [int(trial.predicted[p]) for p in positions]
    trial.answer["given"] = [trial.given[p] for p in positions] if trial.given is not None else None
    phantoms: dict[str, list[Any]] = {}
    for column in made.columns:
        if column.field:
            continue
        seen = (predicted if column.target else trial.raw)[column.name].dropna()
        if len(seen):
            ends = [seen.iloc[0], seen.iloc[-1]]
            if pd.api.types.is_numeric_dtype(seen):
                ends = [seen.min(), seen.max()]
            phantoms[column.key] = _encoded(column, trial.raw[column.name], ends)
    trial.answer["phantoms"] = phantoms


def _encoded(column: Any, raw: pd.Series[Any], values: list[Any]) -> list[Any]:
    made: list[Any] = codec_of(column).encode(pd.Series(values, dtype=raw.dtype))
    return made


def describe_outputs(trial: Trial) -> None:
    """What the prediction and the features are."""
    seen = [v for v in trial.expected if v is not None]
    first = seen[0] if seen else None
    kind = (
        "vector"
        if isinstance(first, list)
        else "object"
        if isinstance(first, dict)
        else "boolean"
        if isinstance(first, bool)
        else ("integer" if isinstance(first, int) else "number" if isinstance(first, float) else "string")
    )
    labels = None
    if kind in ("integer", "string", "boolean"):
        distinct = sorted(set(seen), key=str)
        labels = distinct if len(distinct) <= 50 else None
    raw = trial.value
    trial.answer["prediction"] = {
        "dtype": str(getattr(raw, "dtype", type(raw).__name__)),
        "kind": kind,
        "labels": labels,
        "scale": of_prediction(trial) if kind in ("number", "integer") else None,
    }
