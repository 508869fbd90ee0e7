"""The one seam between transport and model: ready rows in, one value a row out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from .model import Answer, Model


class RowDecoder(Protocol):
    """Makes the raw table of checked rows: those of a request (`rows.Rows`) or of a table (`batch.casting.CastRows`)."""

    def parts(self, rows: Any) -> Sequence[Sequence[int]]:
        """Positions of rows that can share a table."""

    def frame(self, rows: Any) -> pd.DataFrame:
        """The raw table of these rows."""


def predictions(model: Model, decoder: RowDecoder, rows: Any) -> Answer:
    """The prediction for each row."""
    return _answered(model.predict, decoder, rows)


def features(model: Model, decoder: RowDecoder, rows: Any) -> Answer:
    """What the model is given for each row."""
    return _answered(model.features, decoder, rows)


def fallbacks(model: Model, decoder: RowDecoder, rows: Any) -> Answer:
    """The rule-based answer for each row."""
    return _answered(model.fallback, decoder, rows)


def ruled(answer: Answer, by_rule: Mapping[int, Any]) -> Answer:
    """The answer with the rule-based values at these rows, whose errors are gone."""
    values = [by_rule.get(row, value) for row, value in enumerate(answer.predictions)]
    return Answer(values, [error for error in answer.errors if error.row not in by_rule])


def _answered(step: Callable[[pd.DataFrame], Answer], decoder: RowDecoder, rows: Any) -> Answer:
    parts = decoder.parts(rows)
    if len(parts) == 1:
        return step(decoder.frame(rows))
    answer = Answer([None] * rows.count)
    for positions in parts:
        made = step(decoder.frame(rows.take(positions)))
        for position, value in zip(positions, made.predictions, strict=True):
            answer.predictions[position] = value
        answer.errors.extend(error.at(positions[error.row]) for error in made.errors)
    answer.errors.sort(key=lambda error: error.row)
    return answer
