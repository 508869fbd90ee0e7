"""Rows of the raw table as a request gives them. Needs no more than pandas, so that a notebook's kernel can do it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from .columns import Refused, codec_of
from .signature import Signature


def encode(frame: pd.DataFrame, signature: Signature) -> list[dict[str, Any]]:
    """Rows of the raw table as a request gives them; ``decode`` is the inverse.

    Raises:
        Refused: a value that JSON can't carry (infinity); the text names its column.
    """
    columns: dict[str, list[Any]] = {}
    for column in signature.fields:
        try:
            columns[column.key] = codec_of(column).encode(frame[column.name])
        except Refused as refused:
            raise Refused(f"column '{column.name}': {refused}") from None
    return (
        [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        if columns
        else [{} for _ in range(len(frame))]
    )
