"""Tables through the serving path: the same seam as HTTP, with columns in the place of a request's JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from .. import seam
from ..model import Answer, Model, RowError, has_fallback
from ..options import Options
from ..signature import Prediction
from .tables import TableDecoder

PREDICTION, ERROR, FALLBACK = "prediction", "error", "fallback"
ERRORS = pa.schema([("row", pa.int64()), ("field", pa.string()), ("code", pa.string()), ("reason", pa.string())])
"""Of the table of bad rows: the row's position in its table, the field where one is at fault, a code, and words."""
_INFINITE = {"Infinity": float("inf"), "-Infinity": float("-inf")}
_NUMBERS = ("float", "int", "uint", "Float", "Int", "UInt")


@dataclass(frozen=True)
class Scored:
    """A table's answers: `answers` has a row for each of the table's, `errors` one for each thing that is wrong with a row."""

    answers: pa.Table
    errors: pa.Table


class Scorer:
    """Scores tables by the project of one Bento.

    Args:
        model: the project's serving path.
        ruled: whether a row on which the model's code fails gets the rule-based answer, as over HTTP.
    """

    def __init__(self, model: Model, *, ruled: bool = False) -> None:
        self._model = model
        self._ruled = ruled
        self._decoder = TableDecoder(model.signature)
        self.prediction = prediction_type(model.signature.prediction)
        """The type of the column `prediction`."""

    @classmethod
    def load(cls, project: Path) -> Scorer:
        """Of the project folder: see `Model.load` for what is raised."""
        options = Options.load(project / "options.json")
        return cls(Model.load(project), ruled=options.cannot_answer == "fallback" and has_fallback(project))

    @property
    def schema(self) -> pa.Schema:
        """Of the answers."""
        columns = [(PREDICTION, self.prediction), (ERROR, pa.string())]
        return pa.schema([*columns, (FALLBACK, pa.bool_())] if self._ruled else columns)

    def score(self, table: pa.Table) -> Scored:
        """One answer for each row of the table, in its order.

        Raises:
            TableProblem: a field is missing.
        """
        cast = self._decoder.cast(table)
        answer = seam.predictions(self._model, self._decoder, cast.rows)
        ruled: list[int] = []
        if self._ruled:
            answer, ruled = self._with_rules(cast.rows, answer)
        values: list[Any] = [None] * cast.count
        for position, value in zip(cast.positions, answer.predictions, strict=True):
            values[position] = value
        errors = [replace(error, row=cast.positions[error.row]) for error in answer.errors]
        errors += [RowError(p.row or 0, "row_malformed", p.reason, p.field) for p in cast.problems]
        predictions, unfit = _column(values, self.prediction)
        errors += [RowError(at, "prediction_unfit", f"the prediction is no {self.prediction}") for at in unfit]
        columns = {PREDICTION: predictions, ERROR: _told(errors, cast.count)}
        if self._ruled:
            by_rule = {cast.positions[at] for at in ruled}
            columns[FALLBACK] = pa.array([at in by_rule for at in range(cast.count)], type=pa.bool_())
        return Scored(pa.table(columns), _error_table(errors))

    def _with_rules(self, rows: Any, answer: Answer) -> tuple[Answer, list[int]]:
        failed = [error.row for error in answer.errors if error.code == "row_failed"]
        if not failed:
            return answer, []
        made = seam.fallbacks(self._model, self._decoder, rows.take(failed))
        without = {error.row for error in made.errors}
        ruled = {row: made.predictions[at] for at, row in enumerate(failed) if at not in without}
        return seam.ruled(answer, ruled), list(ruled)


def prediction_type(prediction: Prediction) -> pa.DataType:
    """The Arrow type of the predictions: a list where each is a vector of numbers, JSON as text where it is no plain value."""
    numeric = prediction.dtype.startswith(_NUMBERS)
    kinds: dict[str, pa.DataType] = {
        "number": pa.float64(),
        "integer": pa.float64() if prediction.dtype.startswith("float") else pa.int64(),
        "boolean": pa.bool_(),
        "vector": pa.list_(pa.float64()) if numeric else pa.string(),
    }
    return kinds.get(prediction.kind, pa.string())


def _column(values: list[Any], kind: pa.DataType) -> tuple[pa.Array, list[int]]:
    """The predictions as a column, and the positions of those that its type can't hold."""
    if kind == pa.string():
        return pa.array([_text(value) for value in values], type=kind), []
    if kind in (pa.float64(), pa.list_(pa.float64())):
        values = [_number(value) for value in values] if _has_text(values) else values
    try:
        return pa.array(values, type=kind), []
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        fits = [_fits(value, kind) for value in values]
        kept = [value if fit else None for value, fit in zip(values, fits, strict=True)]
        return pa.array(kept, type=kind), [at for at, fit in enumerate(fits) if not fit]


def _has_text(values: list[Any]) -> bool:
    return any(type(value) in (str, list) for value in values)


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(item) for item in value]
    return _INFINITE.get(value, value) if isinstance(value, str) else value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _fits(value: Any, kind: pa.DataType) -> bool:
    try:
        pa.array([value], type=kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return False
    return True


def _told(errors: list[RowError], count: int) -> pa.Array:
    """The column `error`: all that is wrong with a row in one text, null for a good row."""
    texts: list[str | None] = [None] * count
    for error in errors:
        place = f"{error.field}: " if error.field else ""
        said = f"{error.code}: {place}{error.reason}"
        before = texts[error.row]
        texts[error.row] = said if before is None else f"{before}; {place}{error.reason}"
    return pa.array(texts, type=pa.string())


def _error_table(errors: list[RowError]) -> pa.Table:
    def columns() -> Iterator[pa.Array]:
        found = sorted(errors, key=lambda error: error.row)
        yield pa.array([error.row for error in found], type=pa.int64())
        for name in ERRORS.names[1:]:
            yield pa.array([getattr(error, name) for error in found], type=pa.string())

    return pa.Table.from_arrays(list(columns()), schema=ERRORS)
