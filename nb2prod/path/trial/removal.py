"""Whether anything comes of a part of what the model is given: it is taken away, and the rows are asked again."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
from nb2prod_runtime import captured, outputs
from nb2prod_runtime.equality import alike

from .experiment import Asked
from .project import Trial


class Removal:
    """Some answered rows, with what the model is given for them; all at once, or with `batching` off each alone.

    Parts are named as `experiment.Path` names them: `0:age` is the column `age` of the first thing that `features` returns.
    """

    def __init__(self, trial: Trial, answered: Asked, *, batching: bool) -> None:
        count = len(answered.frame)
        self._trial, self._expected = trial, answered.run.predictions
        self._groups = [range(count)] if batching else [range(at, at + 1) for at in range(count)]
        self._givens = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for rows in self._groups:
                with captured.request():
                    given = trial.features(answered.frame.iloc[list(rows)].reset_index(drop=True))
                self._givens.append(list(given) if isinstance(given, tuple) else [given])

    def shows_reading(self, names: Collection[str]) -> bool:
        """Whether any of these parts is read: without them the code fails, or answers otherwise. True where there are no rows to ask.

        A model by formula, or one whose first step picks its columns, answers the same; one that takes a column notices its absence.
        """
        if not self._expected:
            return True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for rows, given in zip(self._groups, self._givens, strict=True):
                try:
                    made = self._without(given, names, len(rows))
                except Exception:  # whatever the notebook's code says of a column that is not there
                    return True
                if not all(
                    alike(self._expected[at], value, self._trial.answers) for at, value in zip(rows, made, strict=True)
                ):
                    return True
        return False

    def _without(self, given: list[Any], names: Collection[str], count: int) -> list[Any]:
        parts = [part.copy() if isinstance(part, pd.DataFrame) else part for part in given]
        for at, part in enumerate(parts):
            gone = {name.partition(":")[2] for name in names if name.startswith(f"{at}:")}
            if gone:
                parts[at] = _left(part, gone)
        with captured.request():
            made: list[Any] = outputs.per_row(self._trial.predict(*parts), count)
        return made


def _left(part: Any, gone: Collection[str]) -> Any:
    """What is left of a table or of records without these columns; nothing of what has no names."""
    if isinstance(part, pd.DataFrame):
        return part.loc[:, [str(c) not in gone for c in part.columns]]
    if isinstance(part, Mapping):
        return {key: value for key, value in part.items() if str(key) not in gone}
    if isinstance(part, list) and part and isinstance(part[0], Mapping):
        return [_left(record, gone) for record in part]
    return None
