"""Dates and times as a column holds them: texts in one layout, objects, with offsets that may differ from row to row."""

from __future__ import annotations

from typing import Any

import pandas as pd


def of_texts(texts: pd.Series[Any], layout: str) -> pd.Series[Any]:
    """The moments that texts of this layout say, missing where one is none; where they say their offsets, all in UTC."""
    return pd.to_datetime(texts, format=layout, errors="coerce", utc="%z" in layout.lower())


def of_objects(values: pd.Series[Any]) -> pd.Series[Any]:
    """The moments that a column of Python's own dates or times holds; of several offsets, all in UTC."""
    try:
        return pd.to_datetime(values)
    except ValueError:
        return pd.to_datetime(values, utc=True)
