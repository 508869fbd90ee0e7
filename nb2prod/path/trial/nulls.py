"""Which fields take null although training saw no missing value."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .coverage import coverage
from .experiment import changed
from .project import Trial

ROWS = 5


def find_nulls(trial: Trial) -> None:
    """Fields that take null although training saw none: the code answers, and the types that training had can hold it."""
    predicted = trial.frame(trial.predicted)
    base = predicted.iloc[coverage(predicted, ROWS)].reset_index(drop=True)
    columns = list(trial.raw.columns)
    passed = []
    for column in trial.answer["fields"]:
        raw = trial.raw[column]
        if raw.isna().any() or (isinstance(raw.dtype, np.dtype) and raw.dtype.kind in "iub"):
            continue
        # A first row shows most of those that can't.
        if all(_answers(trial, base.iloc[:count], columns.index(column)) for count in (1, len(base))):
            passed.append(column)
    trial.answer["null_passed"] = passed


def _answers(trial: Trial, rows: pd.DataFrame, column: int) -> bool:
    """Whether the rows are answered without a value in this column."""
    missing = rows.iloc[:, column].reset_index(drop=True)
    missing.iloc[:] = None
    frame = changed(rows.reset_index(drop=True), {column: (range(len(rows)), missing.array)})
    run = trial.run(frame, batching=bool(trial.answer.get("batching")), features=None)
    return all(code is None and made is not None for code, made in zip(run.codes, run.predictions, strict=True))
