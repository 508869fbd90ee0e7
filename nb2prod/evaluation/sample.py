"""From outcomes to what metrics are computed from: the task of each output, with its values as arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from nb2prod.evaluation.outcomes import Outcomes

Task = Literal["binary", "multiclass", "ranking", "regression"]
FEW = 20
"""So many different integers at most are taken for classes, where the model does not say what it is."""
HALF = 0.5

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """One output for n rows.

    Of classes, `truth` and `answer` are positions in `classes`, and `scores` is (n, k), the probability of each class (None where there is
    none); the positive class of two is the second. Of a ranking, `scores` is (n, 1) and `answer` None. Of a regression, `truth` and `answer`
    are numbers. `positions`: the outcomes' rows.
    """

    name: str
    task: Task
    truth: npt.NDArray[Any]
    answer: npt.NDArray[Any] | None
    scores: Floats | None
    classes: tuple[Any, ...]
    positions: Codes
    cut: bool = False
    """Whether the answer is a probability, counted as positive from one half on."""

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, chosen: npt.NDArray[Any]) -> Sample:
        """The same with only these rows (positions, or a mask)."""
        answer = None if self.answer is None else self.answer[chosen]
        scores = None if self.scores is None else self.scores[chosen]
        return replace(self, truth=self.truth[chosen], answer=answer, scores=scores, positions=self.positions[chosen])


@dataclass(frozen=True)
class Samples:
    """The outputs that can be measured, and what a reader should know of those that can't."""

    outputs: tuple[Sample, ...]
    notes: tuple[str, ...] = ()


def samples(outcomes: Outcomes, name: str) -> Samples:
    """The outputs of these outcomes; `name` is the prediction's."""
    kept = [at for at, value in enumerate(outcomes.predictions) if not _missing(value)]
    notes = []
    if len(kept) < len(outcomes.predictions):
        notes.append(f"{len(outcomes.predictions) - len(kept):,} rows have no prediction and are left out.")
    if not kept:
        return Samples((), tuple(notes))
    taken = _Taken(outcomes, kept)
    found = _several(taken, name) if isinstance(taken.predictions[0], (list, dict)) else [_scalar(taken, name)]
    if not any(found):
        notes.append("The predictions and the true values are of forms that no usual metric compares.")
    unknown = _unknown_classes(taken)
    if unknown:
        notes.append(f"{unknown:,} rows are of a class that the model does not know: each counts as wrong.")
    return Samples(tuple(item for item in found if item is not None), tuple(notes))


@dataclass(frozen=True)
class _Taken:
    """The outcomes of the rows that have a prediction."""

    outcomes: Outcomes
    kept: list[int]

    @property
    def predictions(self) -> list[Any]:
        return [self.outcomes.predictions[at] for at in self.kept]

    @property
    def truth(self) -> list[Any]:
        return [self.outcomes.truth[at] for at in self.kept]

    @property
    def scores(self) -> Floats | None:
        known = self.outcomes.scores
        return None if known is None else np.asarray([known[at] for at in self.kept], dtype="float64")

    @property
    def positions(self) -> Codes:
        return np.asarray(self.kept, dtype="int64")


def _missing(value: Any) -> bool:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return any(item is None for item in members)


def _unknown_classes(taken: _Taken) -> int:
    known = taken.outcomes.classes
    return 0 if known is None else sum(_key(value) not in set(map(_key, known)) for value in taken.truth)


def _several(taken: _Taken, name: str) -> list[Sample | None]:
    """A vector or an object: the probabilities of classes, or several outputs."""
    predictions, truth = taken.predictions, taken.truth
    keys = list(predictions[0]) if isinstance(predictions[0], dict) else list(range(len(predictions[0])))
    table = [[row[key] for key in keys] for row in predictions]
    if taken.outcomes.classes is not None and not isinstance(truth[0], (list, dict)):
        scores = _floats([value for row in table for value in row])
        if scores is None or len(keys) != len(taken.outcomes.classes):
            return [None]
        return [_classes(taken, name, truth, None, scores.reshape(len(table), -1))]
    if not isinstance(truth[0], (list, dict)) or len(truth[0]) != len(keys):
        return [None]
    real = [list(row.values()) if isinstance(row, dict) else list(row) for row in truth]
    chances = _floats([value for row in table for value in row])
    if chances is not None and _one_of(real) and _chances(chances.reshape(len(table), -1)):
        labels: list[Any] = [keys[row.index(max(row))] for row in real]
        bare = _Taken(replace(taken.outcomes, classes=tuple(keys), scores=None), taken.kept)
        return [_classes(bare, name, labels, None, chances.reshape(len(table), -1))]
    plain = _Taken(replace(taken.outcomes, classes=None, scores=None), taken.kept)
    names = keys if isinstance(keys[0], str) or not isinstance(truth[0], dict) else list(truth[0])
    named = [key if isinstance(key, str) else f"{name}[{key}]" for key in names]
    return [
        _scalar(plain, label, [row[at] for row in table], [row[at] for row in real]) for at, label in enumerate(named)
    ]


def _one_of(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether each row marks one class among several."""
    return len(rows[0]) > 1 and all(sorted(set(row)) == [0, 1] and sum(row) == 1 for row in rows)


def _chances(values: Floats) -> bool:
    return bool((values >= 0).all() and np.allclose(values.sum(axis=1), 1.0, atol=1e-3))


def _scalar(
    taken: _Taken, name: str, predictions: list[Any] | None = None, truth: list[Any] | None = None
) -> Sample | None:
    predictions = taken.predictions if predictions is None else predictions
    truth = taken.truth if truth is None else truth
    if any(isinstance(value, (list, dict)) for value in truth):
        return None
    if _are_labels(taken.outcomes, predictions, truth):
        return _classes(taken, name, truth, predictions, taken.scores)
    given, real = _floats(predictions), _floats(truth)
    if given is None or real is None:
        return None
    two = set(real.tolist())
    if taken.outcomes.estimator != "regressor" and two <= {0.0, 1.0} and not set(given.tolist()) <= {0.0, 1.0}:
        if (given >= 0).all() and (given <= 1).all():
            scores = np.stack([1 - given, given], axis=1)
            answer = (given >= HALF).astype("int64")
            return Sample(name, "binary", real.astype("int64"), answer, scores, (0, 1), taken.positions, cut=True)
        return _ranking(taken, name, real, given)
    if taken.outcomes.estimator == "classifier" and two <= {-1.0, 1.0}:
        return _ranking(taken, name, (real > 0).astype("float64"), given)
    return Sample(name, "regression", real, given, None, (), taken.positions)


def _ranking(taken: _Taken, name: str, real: Floats, given: Floats) -> Sample:
    return Sample(name, "ranking", real.astype("int64"), None, given[:, None], (0, 1), taken.positions)


def _are_labels(outcomes: Outcomes, predictions: list[Any], truth: list[Any]) -> bool:
    if all(isinstance(value, (str, bool)) for value in predictions):
        return True
    if outcomes.estimator == "regressor" or not all(isinstance(value, (str, bool, int, float)) for value in truth):
        return False
    if outcomes.classes is not None and set(map(_key, predictions)) <= set(map(_key, outcomes.classes)):
        return True
    known = set(map(_key, truth))
    if outcomes.estimator == "classifier":
        return set(map(_key, predictions)) <= known and len(known) <= FEW
    whole = all(isinstance(value, int) for value in predictions) and all(
        isinstance(value, (int, str)) for value in truth
    )
    return whole and len(known | set(map(_key, predictions))) <= FEW


def _classes(
    taken: _Taken, name: str, truth: list[Any], answer: list[Any] | None, scores: Floats | None
) -> Sample | None:
    known = list(taken.outcomes.classes or ())
    seen = {_key(value): value for value in (*truth, *(answer or ()))}
    found = {_key(value) for value in known}
    fresh = [value for key, value in seen.items() if key not in found]
    if not known:
        fresh = sorted(fresh, key=lambda value: (isinstance(value, str), value))
        scores = None
    classes = (*known, *fresh)
    code = {_key(value): at for at, value in enumerate(classes)}
    if scores is not None and fresh:
        scores = np.concatenate([scores, np.zeros((len(scores), len(fresh)))], axis=1)
    real = np.asarray([code[_key(value)] for value in truth], dtype="int64")
    given = scores.argmax(axis=1) if answer is None and scores is not None else None
    if answer is not None:
        given = np.asarray([code[_key(value)] for value in answer], dtype="int64")
    task: Task = "binary" if len(classes) == 2 else "multiclass"
    return Sample(name, task, real, given, scores, classes, taken.positions)


def _key(value: Any) -> Any:
    """By which values are the same class: 1, 1.0 and True are."""
    return float(value) if isinstance(value, (bool, int, float)) else value


def _floats(values: list[Any]) -> Floats | None:
    if not all(isinstance(value, (bool, int, float)) and math.isfinite(value) for value in values):
        return None
    return np.asarray(values, dtype="float64")
