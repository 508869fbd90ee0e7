"""Odd rows, and what the notebook's own statements make of each."""

from __future__ import annotations

from typing import Any

import pandas as pd
from nb2prod_runtime import encoding
from nb2prod_runtime.columns import codec_of
from nb2prod_runtime.signature import Signature

from . import odd_values
from .edges import Maker, outcomes
from .project import Run, Trial


def edges(trial: Trial) -> list[dict[str, Any]]:
    """Odd rows, and what the notebook's own statements make of each alone, with the values kept from training."""
    columns = trial.answer["columns"]
    made = Signature.from_json({"schema": 1, "columns": columns})
    maker = Maker(trial.raw, trial.predicted, columns, lambda frame: encoding.encode(frame, made), odd_values)
    rows = maker.rows()
    if trial.answer.get("batching"):
        rows += maker.boundary(lambda frame: trial.run(frame, features=False))

    def run(frame: pd.DataFrame) -> Run:
        return trial.run(_idle_as_served(frame, made), batching=False)

    return outcomes(rows, run)


def _idle_as_served(frame: pd.DataFrame, signature: Any) -> pd.DataFrame:
    """The rows with the columns that no request gives as the service fills them: a table passed on whole shows them among the features."""
    served = frame.copy()
    for column in signature.columns:
        if not column.field and column.name in served:
            codec = codec_of(column)
            value = None if column.phantom is None else codec.checked(column.phantom)
            served[column.name] = codec.array([value] * len(served))
    return served
