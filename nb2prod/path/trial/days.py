"""By how much training's own days differ from each other: part of `reference.json`, so that a weekday or a season raises no alarm.

Where the raw table has a time, the rows of each column are counted by day in the bins of its distribution. Days differ by chance alone if these counts are
multinomial; by how much more they do is told as the concentration of a Dirichlet distribution that draws each day's shares, found by the method of
moments from Pearson's statistic: small where days differ much, none where chance explains them. Where Saturdays and Sundays are others than
the days between them, both groups are told apart. What changes within a day is part of the day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .reference import MIN_GROUP, plain

FEWEST_DAYS, FEWEST_ROWS = 14, 20
"""Days, and rows of a day on average, without which nothing is said."""
_TRIED = 200
_GROUPS = ((0, 1, 2, 3, 4), (5, 6))
"""Weekdays (Monday is 0) whose days may be told apart."""
_CLEARER = 2.0
"""By how much groups must explain what days differ by."""
_SIGNIFICANT = 3.0
Floats = npt.NDArray[np.float64]


def tell(described: dict[str, Any], raw: pd.DataFrame, predicted: npt.NDArray[np.int64], predictions: object) -> None:
    """Put into the document of `reference.json` by how much days differ, where the raw table has a time.

    `predicted` are the positions in `raw` of the rows that `predictions` belong to.
    """
    found = days_of(raw)
    if found is None:
        return
    described["time"], numbers = found
    places = {str(label): at for at, label in enumerate(raw.columns)}
    for name, facts in described["columns"].items():
        _add(facts, raw.iloc[:, places[name]], numbers)
    facts = described["prediction"]
    if facts and isinstance(predictions, (pd.Series, np.ndarray, list)) and len(predictions) == len(predicted):
        if facts.get("type") == "vector":
            table = np.asarray(list(predictions), dtype="float64")
            for at, position in enumerate(facts["positions"]):
                _add(position, pd.Series(table[:, at]), numbers[predicted])
        else:
            _add(facts, pd.Series(list(predictions)), numbers[predicted])


def _add(facts: dict[str, Any], values: pd.Series[Any], days: npt.NDArray[np.int64]) -> None:
    told = by_day(values, days, facts)
    if told is not None:
        facts["by_day"] = told


def days_of(raw: pd.DataFrame) -> tuple[str, npt.NDArray[np.int64]] | None:
    """The column of the raw table that tells each row's day, and the days, counted from 1970-01-01 (-1: none); None where none does.

    The first of those that spread the rows over enough days with enough rows each.
    """
    for at in range(raw.shape[1]):
        values = raw.iloc[:, at]
        moments = _moments(values)
        if moments is None or moments.isna().mean() > 0.5:
            continue
        days = moments.dt.floor("D")
        count = int(days.nunique())
        if count >= FEWEST_DAYS and moments.notna().sum() >= FEWEST_ROWS * count:
            return str(raw.columns[at]), _numbered(days)
    return None


def by_day(values: pd.Series[Any], days: npt.NDArray[np.int64], facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """`{"days", "concentration"}` of a column with these `facts` (as `reference.describe_column` gives them); None where it has no bins.

    `days` numbers each row's day since 1970-01-01, -1 for none; a concentration of None says that days differ by chance alone. Where weekends are others, `groups` has
    the same for both groups with their `weekdays` and their `counts` by bin; counts of fewer than five rows are told as five.
    """
    places = _bins(values, facts)
    if places is None:
        return None
    known = (places >= 0) & (days >= 0)
    numbers, rows = np.unique(days[known], return_inverse=True)
    table = np.zeros((len(numbers), _width(facts)))
    np.add.at(table, (rows, places[known]), 1.0)
    told: dict[str, Any] = {"days": len(table), "concentration": concentration(table)}
    groups = [_group(table, numbers, weekdays) for weekdays in _GROUPS]
    if told["concentration"] is not None and all(item["days"] >= FEWEST_DAYS for item in groups):
        inside = min(item["concentration"] or np.inf for item in groups)
        if inside > _CLEARER * told["concentration"]:
            told["groups"] = groups
    return told


def _group(table: Floats, numbers: npt.NDArray[np.int64], weekdays: tuple[int, ...]) -> dict[str, Any]:
    # 1970-01-01 was a Thursday.
    mine = table[np.isin((numbers + 3) % 7, weekdays)]
    counts = [int(count) if count == 0 or count >= MIN_GROUP else MIN_GROUP for count in mine.sum(axis=0)]
    return {"weekdays": list(weekdays), "days": len(mine), "concentration": concentration(mine), "counts": counts}


def concentration(counts: Floats) -> float | None:
    """By how much days differ, from their counts (days, k): of the Dirichlet that draws each day's shares; None where chance alone explains them."""
    counts = counts[:, counts.sum(axis=0) > 0]
    rows = counts.sum(axis=1)
    if len(counts) < FEWEST_DAYS or counts.shape[1] < 2:
        return None
    expected = rows[:, None] * counts.sum(axis=0) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    freedom = (len(counts) - 1) * (counts.shape[1] - 1)
    if statistic - freedom <= _SIGNIFICANT * np.sqrt(2 * freedom):
        return None
    excess = statistic / freedom - 1
    return float(f"{max((float(rows.mean()) - 1) / excess - 1, 1.0):.4g}")


def _moments(values: pd.Series[Any]) -> pd.Series[Any] | None:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    if pd.api.types.is_numeric_dtype(values.dtype) or isinstance(values.dtype, pd.CategoricalDtype):
        return None
    tried = values.dropna().head(_TRIED)
    if not len(tried) or not all(isinstance(value, str) and len(value) >= 10 for value in tried):
        return None
    try:
        pd.to_datetime(tried, format="ISO8601", utc=True)
        return pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce")
    except (ValueError, TypeError):
        return None


def _numbered(days: pd.Series[Any]) -> npt.NDArray[np.int64]:
    plain = days if days.dt.tz is None else days.dt.tz_localize(None)
    numbers = plain.to_numpy().astype("datetime64[D]").astype("int64")
    return np.where(days.isna().to_numpy(), -1, numbers)


def _width(facts: Mapping[str, Any]) -> int:
    """How many bins a column has: one for each category and one for all others, or those of its histogram."""
    return len(facts["categories"]) + 1 if facts.get("categories") else len(facts["histogram"]["counts"])


def _bins(values: pd.Series[Any], facts: Mapping[str, Any]) -> npt.NDArray[np.int64] | None:
    """The bin of each value, -1 where it is missing; None for a column without bins."""
    if facts.get("categories"):
        places = {item["value"]: at for at, item in enumerate(facts["categories"])}
        codes, uniques = pd.factorize(values)
        known = np.array([places.get(plain(value), len(places)) for value in uniques] + [-1], dtype="int64")
        return np.asarray(known[codes])
    edges = (facts.get("histogram") or {}).get("edges")
    if not edges or facts.get("type") not in ("number", "integer"):
        return None
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    return np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="right"))
