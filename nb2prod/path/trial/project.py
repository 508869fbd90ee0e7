"""The project under trial: its raw rows, what was predicted for which of them, and the generated code."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from nb2prod_runtime import artifacts, captured, outputs, plain
from nb2prod_runtime.equality import Tolerance, same
from nb2prod_runtime.model import Model

from .evidence import gathered, unheld
from .targets import Ranking

Featured = Callable[[Any, int], list[Any]]
"""One plain value a row of what `features` returned."""


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
    ranked: Ranking | None = None
    """How well each column decides the `y` of the fit, once that was asked."""

    def same(self, one: Any, other: Any) -> bool:
        """Whether two answers are equal."""
        return bool(same(one, other, self.answers, output=self.job["output"]))

    def frame(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> pd.DataFrame:
        """Raw rows as the service gets them: their columns and types, numbered from 0."""
        return self.raw.iloc[list(rows)].reset_index(drop=True)

    def run(self, frame: pd.DataFrame, batching: bool = True, features: Featured | None = outputs.featured) -> Run:
        """Answer the rows of `frame`; features and prediction come from one pass where no row fails.

        `features` makes one value a row of what the model is given; without it there are none.
        """
        n = len(frame)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            passed = self._passes(frame, batching, features)
            if passed is not None:
                return Run(*passed, [None] * n, [None] * n)
            self.model.batching = batching
            answer = self.model.predict(frame)
            reasons: list[str | None] = [None] * n
            codes: list[str | None] = [None] * n
            for error in answer.errors:
                reasons[error.row], codes[error.row] = error.reason, error.code
            made: list[Any] = [None] * n
            answered = [at for at, code in enumerate(codes) if code is None]
            if features is not None and answered:
                rows = frame.iloc[answered].reset_index(drop=True)
                # What passes alone and not with others is left without features: its answer is what counts then.
                passed = self._passes(rows, batching, features) or self._passes(rows, False, features)
                for at, value in zip(answered, passed[0] if passed else [], strict=False):
                    made[at] = value
        return Run(made, answer.predictions, reasons, codes)

    def _passes(
        self, frame: pd.DataFrame, batching: bool, features: Featured | None
    ) -> tuple[list[Any], list[Any]] | None:
        """Features and predictions of all rows, together or each alone; None where a row is refused or fails."""
        if batching:
            return self._pass(frame, features)
        made: tuple[list[Any], list[Any]] = [], []
        for at in range(len(frame)):
            single = self._pass(frame.iloc[at : at + 1].reset_index(drop=True), features)
            if single is None:
                return None
            made[0].append(single[0][0])
            made[1].append(single[1][0])
        return made

    def _pass(self, frame: pd.DataFrame, features: Featured | None) -> tuple[list[Any], list[Any]] | None:
        n = len(frame)
        try:
            with captured.request():
                given = self.features(frame.copy())
                made = [None] * n if features is None else features(given, n)
                value = self.predict(*given) if isinstance(given, tuple) else self.predict(given)
                return made, outputs.per_row(value, n)
        except Exception:
            return None

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """The raw rows, and below them those of other tables that a request's row may be like."""
        return gathered(self.raw, self._beside)

    @cached_property
    def unheld(self) -> dict[Any, list[pd.Series[Any]]]:
        """By column, what other tables hold in it that its type can't."""
        return unheld(self.raw, self._beside)

    @cached_property
    def _beside(self) -> list[pd.DataFrame]:
        return [load(path) for path in self.job.get("beside") or ()]

    @property
    def project(self) -> Path:
        """The folder of the generated modules."""
        return Path(self.job["project"])

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
        alike = trial.run(tried, features=None)
        between = trial.run(tried.assign(**{str(column): tried[column] + 0.5}), features=None)
        pairs = zip(trial.expected, alike.predictions, strict=True)
        if all(trial.same(a, b) for a, b in pairs) and not any(between.codes):
            trial.raw = tried
    Path(trial.job["raw"]).write_bytes(plain.dumps(trial.raw))
