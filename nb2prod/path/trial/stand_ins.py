"""The served path run with someone before its models, who hears what they are asked, or answers with the true values in their place.

A part of the trial, run in the kernel's own Python. What follows the model's answer (an exponential, names of classes, a threshold) is so
applied to the truth: it comes out in the unit of the prediction. The same run hears how probable the model held each class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from nb2prod_runtime import captured, outputs

from .project import Trial, load

ASKED = ("predict", "predict_proba", "decision_function", "inplace_predict")
UNSUPERVISED = ("ClusterMixin", "OutlierMixin", "DensityMixin")


class Unknown(Exception):
    """The true values can't be told; the text is the reason, for a reader."""


def members(value: Any) -> list[Any]:
    """What a row's value of several outputs holds."""
    return list(value.values()) if isinstance(value, dict) else list(value)


def alone(made: list[Any]) -> list[Any]:
    """One plain value a row; where there is one output alone, that."""
    if all(isinstance(item, (list, dict)) and len(item) == 1 for item in made):
        return [members(item)[0] for item in made]
    return made


@dataclass
class _Asked:
    """Stands before the models of the served path: hears what they are asked, and answers with `truth` where that is given."""

    truth: npt.NDArray[Any] | None = None
    heard: list[tuple[Any, str, tuple[Any, ...], dict[str, Any], Any]] = field(default_factory=list)

    def ask(self, model: Any, name: str, *args: Any, **options: Any) -> Any:
        real = getattr(model, name)(*args, **options)
        self.heard.append((model, name, args, options, real))
        return real if self.truth is None else _shaped(model, name, real, self.truth)


class _Stand:
    """A model with someone before it who hears each question."""

    def __init__(self, model: Any, asked: _Asked) -> None:
        self.__dict__.update(_model=model, _asked=asked)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._model, name)
        if name in ASKED and callable(value):
            return lambda *args, **options: self._asked.ask(self._model, name, *args, **options)
        return _behind(value, self._asked)

    def __getitem__(self, key: Any) -> Any:
        return _behind(self._model[key], self._asked)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._asked.ask(self._model, "__call__", *args, **options)

    def __len__(self) -> int:
        return len(self._model)


def _behind(value: Any, asked: _Asked) -> Any:
    return _Stand(value, asked) if _answers(value) else value


def _answers(value: Any) -> bool:
    """Whether it is a model that a target was learned by: clusters and detectors of outliers have `predict` too."""
    known = callable(getattr(value, "predict", None)) and not isinstance(value, type)
    return known and not any(base.__name__ in UNSUPERVISED for base in type(value).__mro__)


def _shaped(model: Any, name: str, real: Any, truth: npt.NDArray[Any]) -> Any:
    """The true values as this model would answer them."""
    answer = np.asarray(real)
    if not answer.ndim or len(answer) != len(truth):
        raise Unknown("The model was asked for other rows than the predicted ones.")
    classes = getattr(model, "classes_", None)
    if name == "decision_function" and answer.ndim == 1 and classes is not None:
        values = np.where(truth == classes[1], 1.0, -1.0)
    elif answer.ndim == 2 and truth.ndim == 1 and answer.shape[1] > 1:
        values = _one_hot(truth, classes, answer.shape[1])
    elif truth.size == answer.size:
        values = truth.reshape(answer.shape)
    else:
        raise Unknown("The model's answer has another form than the target that it was fitted to.")
    if hasattr(real, "index") and answer.ndim == 1:
        return pd.Series(values, index=real.index, name=real.name)
    return (
        values if not hasattr(real, "columns") else pd.DataFrame(values, index=real.index, columns=list(real.columns))
    )


def _one_hot(truth: npt.NDArray[Any], classes: Any, width: int) -> npt.NDArray[Any]:
    known = np.arange(width) if classes is None or len(classes) != width else np.asarray(classes)
    return np.asarray(truth[:, None] == known[None, :], dtype="float64")


class ServedRun:
    """The served path run on the evaluated rows, with someone before its models."""

    def __init__(self, trial: Trial, positions: list[int], y: list[Any]) -> None:
        self.trial, self.positions = trial, positions
        self.y, self.expected = y, [trial.expected[at] for at in positions]
        self.frame = trial.frame(trial.predicted[positions])

    def measured(self, probabilities: dict[str, Any] | None) -> dict[str, Any]:
        """`truth` in the prediction's unit, `classes` and `scores` where classes are predicted, and what sort of model it is.

        `probabilities`: where the notebook's own run computed them, their file and the raw rows that they belong to.
        """
        heard, answers = self._listened()
        models = list({id(model): model for model, *_ in heard}.values())
        kind = _kind(models[0]) if len(models) == 1 else None
        direct = _direct(answers, heard)
        classes = getattr(models[0], "classes_", None) if len(models) == 1 else None
        if isinstance(classes, list):
            classes = None  # several outputs, each with classes of its own
        known = None if classes is None else [_value(c) for c in classes]
        if direct is not None and direct.endswith("predict") and self._alike_in_form():
            truth, labels = self.y, known
        elif direct == "predict_proba" and known is not None:
            return {"truth": self.y, "classes": known, "scores": None, "scores_from": None, "estimator": kind}
        else:
            truth = self._with(self.y)
            labels = None if known is None else self._labels(known)
        if kind == "regressor" or any(isinstance(value, float) for value in self.expected):
            truth = self._same_unit(truth)
        made = {"truth": truth, "classes": None, "scores": None, "scores_from": None, "estimator": kind}
        if labels is None or isinstance(self.expected[0], (list, dict, float)):
            return made
        scores, source = self._scores(probabilities, heard)
        return {**made, **_together(scores, labels, source)} if scores is not None else made

    def _listened(self) -> tuple[list[Any], list[Any]]:
        asked = _Asked()
        answers = self._ran(asked, None)
        if not all(self.trial.same(a, b) for a, b in zip(answers, self.expected, strict=True)):
            raise Unknown("The served path, run once more, gave other predictions.")
        return asked.heard, answers

    def _alike_in_form(self) -> bool:
        one, other = (members(v) if isinstance(v, (list, dict)) else [] for v in (self.expected[0], self.y[0]))
        return len(one) == len(other)

    def _with(self, truth: list[Any], rows: int | None = None) -> list[Any]:
        """The path's answers where the models answer with these values."""
        asked = _Asked()
        try:
            answers = self._ran(asked, truth, rows)
        except Unknown:
            raise
        except Exception as problem:
            raise Unknown(
                f"What follows the model's answer could not be applied to the true values ({type(problem).__name__})."
            ) from problem
        if not asked.heard:
            raise Unknown("No model was seen to be asked on the way to the prediction.")
        return answers

    def _labels(self, classes: list[Any]) -> list[Any] | None:
        """What the path makes of each class."""
        try:
            return [self._with([c], 1)[0] for c in classes]
        except Unknown:
            return None

    def _same_unit(self, truth: list[Any]) -> list[Any]:
        """Where what follows only rounds or cuts off numbers, the target is taken as it is."""
        if truth == self.y or not all(type(value) in (int, float) for value in (*truth, *self.y)):
            return truth
        own = np.asarray(self.y, dtype="float64")
        near = np.abs(np.asarray(truth, dtype="float64") - own) <= 0.05 * own.std()
        return self.y if near.mean() >= 0.9 else truth

    def _scores(self, told: dict[str, Any] | None, heard: list[Any]) -> tuple[npt.NDArray[Any] | None, str]:
        """The probabilities of each class by row, those of the notebook's own run first."""
        if told is not None:
            at = {int(row): position for position, row in enumerate(np.load(told["rows"]))}
            rows = [int(self.trial.predicted[p]) for p in self.positions]
            if all(row in at for row in rows):
                return np.asarray(load(told["output"]))[[at[row] for row in rows]], "run"
        parts = []
        for model, name, args, options, real in heard:
            if name == "predict_proba":
                parts.append(np.asarray(real))
            elif name == "predict" and hasattr(model, "predict_proba"):
                try:
                    parts.append(np.asarray(model.predict_proba(*args, **options)))
                except Exception:  # a voting classifier that counts hard votes has none
                    return None, ""
        found = np.concatenate(parts) if parts and all(p.ndim == 2 for p in parts) else None
        return (found, "model") if found is not None and len(found) == len(self.positions) else (None, "")

    # -- running --

    def _ran(self, asked: _Asked, truth: list[Any] | None, rows: int | None = None) -> list[Any]:
        frame = self.frame if rows is None else self.frame.iloc[:rows]
        if self.trial.answer.get("batching"):
            return self._once(frame, asked, truth)
        answers: list[Any] = []
        for at in range(len(frame)):
            one = frame.iloc[at : at + 1].reset_index(drop=True)
            answers += self._once(one, asked, None if truth is None else truth[at : at + 1])
        return answers

    def _once(self, frame: pd.DataFrame, asked: _Asked, truth: list[Any] | None) -> list[Any]:
        asked.truth = None if truth is None else _array(truth)
        # A public name would be taken from the notebook's values.
        with captured._changed(lambda value: _behind(value, asked)), captured.request():  # noqa: SLF001
            given = self.trial.features(frame.copy())
            value = self.trial.predict(*given) if isinstance(given, tuple) else self.trial.predict(given)
            made: list[Any] = outputs.per_row(value, len(frame))
            return made


def _array(values: list[Any]) -> npt.NDArray[Any]:
    if isinstance(values[0], dict):
        return np.asarray([members(v) for v in values])
    return np.asarray(values, dtype=object if isinstance(values[0], str) else None)


def _direct(answers: list[Any], heard: list[Any]) -> str | None:
    """The question whose answer is the prediction as it is; None where something follows, or several were asked."""
    names = {name for _, name, *_ in heard}
    models = {id(model) for model, *_ in heard}
    if len(names) != 1 or len(models) != 1:
        return None
    made: list[Any] = []
    for _, _, _, _, real in heard:
        try:
            made += outputs.per_row(real, len(real))
        except (outputs.NotOnePerRow, TypeError):
            return None
    return names.pop() if alone(made) == alone(answers) else None


def _kind(model: Any) -> str | None:
    try:
        from sklearn.base import is_classifier, is_regressor
    except ImportError:
        return None
    try:
        return "classifier" if is_classifier(model) else "regressor" if is_regressor(model) else None
    except Exception:  # a model of another library
        return None


def _together(scores: npt.NDArray[Any], labels: Sequence[Any], source: str) -> dict[str, Any]:
    """Probabilities by what the path makes of the classes; classes that it makes the same of count together."""
    known = list(dict.fromkeys(labels))
    if scores.shape[1] != len(labels) or len(known) < 2:
        return {}
    made = np.stack([scores[:, [at for at, label in enumerate(labels) if label == one]].sum(1) for one in known], 1)
    return {"classes": known, "scores": made.astype("float64").tolist(), "scores_from": source}


def _value(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
