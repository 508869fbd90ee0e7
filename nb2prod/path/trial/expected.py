"""Odd rows, and what the notebook's own statements make of each."""

from __future__ import annotations

from typing import Any

import pandas as pd
from nb2prod_runtime import encoding
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
        rows += maker.boundary(lambda frame: trial.run(frame, features=None))

    def run(frame: pd.DataFrame) -> Run:
        return trial.run(frame, batching=False)

    return outcomes(rows, run)
