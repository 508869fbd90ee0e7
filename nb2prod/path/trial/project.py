"""The project under trial: its raw rows, what was predicted for which of them, and the generated code."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from nb2prod_runtime import artifacts, captured, outputs, plain
from nb2prod_runtime.equality import Tolerance, same
from nb2prod_runtime.model import Model


@dataclass
class Run:
    """Answers for some rows: features and predictions as plain values, and for rows without one the reason (`None` elsewhere)."""

    features: list[Any]
    predictions: list[Any]
    reasons: list[str | None]
    codes: list[str | None]


@dataclass
class Trial:
    """One project under trial."""

    job: dict[str, Any]
    raw: pd.DataFrame
    predicted: npt.NDArray[np.int64]
    expected: list[Any]
    given: list[Any] | None
    model: Any
    answer: dict[str, Any] = field(default_factory=dict)
    value: Any = None
    """The notebook's prediction as it was."""
    argument: Any = None
    """What the model was given, as it was; None where that is not known."""
    answers: Tolerance = field(default_factory=Tolerance)
    """When two answers are equal."""
    givens: Tolerance = field(default_factory=Tolerance)
    """When two rows of features are."""

    def same(self, one: Any, other: Any) -> bool:
        """Whether two answers are equal."""
        return bool(same(one, other, self.answers, output=self.job["output"]))

    def frame(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> pd.DataFrame:
        """Raw rows as the service gets them: their columns and types, numbered from 0."""
        return self.raw.iloc[list(rows)].reset_index(drop=True)

    def run(self, frame: pd.DataFrame, batching: bool = True, features: bool = True) -> Run:
        """Answer the rows of `frame`; features and prediction come from one pass where no row fails."""
        n = len(frame)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if batching:
                whole = self._pass(frame)
                if whole is not None:
                    return Run(whole[0], whole[1], [None] * n, [None] * n)
            else:
                singles = [self._pass(frame.iloc[i : i + 1].reset_index(drop=True)) for i in range(n)]
                if all(s is not None for s in singles):
                    return Run([s[0][0] for s in singles if s], [s[1][0] for s in singles if s], [None] * n, [None] * n)
            self.model.batching = batching
            answer = self.model.predict(frame)
            made = self.model.features(frame).predictions if features else [None] * n
        reasons: list[str | None] = [None] * n
        codes: list[str | None] = [None] * n
        for error in answer.errors:
            reasons[error.row], codes[error.row] = error.reason, error.code
        return Run(made, answer.predictions, reasons, codes)

    def _pass(self, frame: pd.DataFrame) -> tuple[list[Any], list[Any]] | None:
        """Features and predictions of all rows at once; None where a row is refused or fails."""
        n = len(frame)
        try:
            with captured.request():
                given = self.features(frame.copy())
                made = outputs.featured(given, n)
                value = self.predict(*given) if isinstance(given, tuple) else self.predict(given)
                return made, outputs.per_row(value, n)
        except Exception:
            return None

    @property
    def features(self) -> Any:
        """The generated function."""
        return sys.modules["features"].features

    @property
    def predict(self) -> Any:
        """The generated function."""
        return sys.modules["predict"].predict


def open_trial(job: dict[str, Any]) -> Trial:
    """Load the rows, what was predicted, and the model."""
    raw = _calls(job) if job.get("calls") else load(job["raw"])
    predicted = np.load(job["predicted"])
    value = [load(path) for path in job["outputs"]] if job.get("calls") else load(job["expected"])
    # For the rows of a y all that counts is what changes it.
    expected = [] if job.get("y") else outputs.per_row(value, len(predicted))
    if job.get("only"):
        at = {int(row): position for position, row in enumerate(predicted)}
        predicted = np.load(job["only"])
        expected = [expected[at[int(row)]] for row in predicted]
    given = names = argument = None
    if job.get("given"):
        argument = load(job["given"])
        names = [str(c) for c in argument.columns] if hasattr(argument, "columns") else None
        given = outputs.per_row(argument, len(predicted))
    project = Path(job["project"])
    for name in ("features", "predict"):
        sys.modules.pop(name, None)  # an earlier job may have tried an earlier version of them
    trial = Trial(job, raw, predicted, expected, given, Model.load(project), value=value, argument=argument)
    trial.answers = Tolerance(job["tolerance"], job["tolerances"])
    trial.givens = Tolerance(job["tolerance"])
    trial.answer["names"] = names
    trial.answer["given_kind"] = None if not job.get("given") else "frame" if names else "array"
    return trial


def load(path: str) -> Any:
    """A value that the kernel handed over, in the format that its file's name says."""
    return artifacts.read(Path(path))


def _calls(job: dict[str, Any]) -> pd.DataFrame:
    """The arguments of a predicting function's calls, a row each."""
    return pd.DataFrame(job["calls"])


def settle_calls(trial: Trial) -> None:
    """Parameters that were given whole numbers take fractions too where the function answers alike for 2 and 2.0, and answers for 2.5."""
    whole = [c for c in trial.raw.columns if trial.raw[c].dtype.kind == "i"]
    for column in whole:
        tried = trial.raw.astype({column: "float64"})
        alike = trial.run(tried, features=False)
        between = trial.run(tried.assign(**{str(column): tried[column] + 0.5}), features=False)
        pairs = zip(trial.expected, alike.predictions, strict=True)
        if all(trial.same(a, b) for a, b in pairs) and not any(between.codes):
            trial.raw = tried
    Path(trial.job["raw"]).write_bytes(plain.dumps(trial.raw))
