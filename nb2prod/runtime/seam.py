"""The one seam between transport and model: ready rows in, one value a row out."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from .model import Answer, Model
from .rows import Decoder, Rows


def predictions(model: Model, decoder: Decoder, rows: Rows) -> Answer:
    """The prediction for each row."""
    return _answered(model.predict, decoder, rows)


def features(model: Model, decoder: Decoder, rows: Rows) -> Answer:
    """What the model is given for each row."""
    return _answered(model.features, decoder, rows)


def fallbacks(model: Model, decoder: Decoder, rows: Rows) -> Answer:
    """The rule-based answer for each row."""
    return _answered(model.fallback, decoder, rows)


def _answered(step: Callable[[pd.DataFrame], Answer], decoder: Decoder, rows: Rows) -> Answer:
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
