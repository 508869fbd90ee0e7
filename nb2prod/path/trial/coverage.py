"""Which rows show most of a table: every pattern of missing values, the extremes, common and rare categories."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def coverage(frame: pd.DataFrame, limit: int, seed: int = 0) -> list[int]:
    """Positions that hold every missing-value pattern, each column's extremes and its common and rare categories; then evenly drawn ones."""
    n = len(frame)
    if n <= limit:
        return list(range(n))
    chosen: dict[int, None] = {}
    missing = frame.isna()
    for position in missing.drop_duplicates().index[: limit // 4]:
        chosen[int(position)] = None
    for i in range(frame.shape[1]):
        column = frame.iloc[:, i]
        for position in notable(column):
            chosen.setdefault(int(position))
        if len(chosen) > limit * 3 // 4:
            break
    rest = np.random.default_rng(seed).permutation(n)
    for position in rest:
        if len(chosen) >= limit:
            break
        chosen.setdefault(int(position))
    return sorted(chosen)[:limit] if len(chosen) <= limit else list(chosen)[:limit]


def notable(column: pd.Series[Any]) -> list[int]:
    seen = column.dropna()
    if seen.empty:
        return []
    at = np.flatnonzero(column.notna().to_numpy())
    if pd.api.types.is_numeric_dtype(seen) or pd.api.types.is_datetime64_any_dtype(seen):
        return [int(at[seen.argmin()]), int(at[seen.argmax()])]
    try:
        counts = seen.value_counts()
    except TypeError:
        return []
    wanted = [*counts.index[:3], *counts.index[-3:]]
    return [int(at[np.flatnonzero((seen == w).to_numpy())[0]]) for w in wanted]
