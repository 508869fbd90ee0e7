"""Made example requests: common values of each field, mixed across fields so that no example is a training row."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

try:
    from pandas.tseries.api import guess_datetime_format
except ImportError:  # before pandas 2.2
    from pandas.core.tools.datetimes import guess_datetime_format  # type: ignore[attr-defined,no-redef]

from .moments import of_objects, of_texts
from .reference import MIN_GROUP, kind_of, plain

Row = dict[str, Any]
Accept = Callable[[Sequence[Row]], Sequence[bool]]

_WORDS = 6
_SPARE = 4
_TRIES = 200


def make(
    signature: Mapping[str, Any],
    reference: Mapping[str, Any],
    training: pd.DataFrame,
    *,
    count: int = 3,
    accept: Accept | None = None,
) -> dict[str, Any]:
    """The `examples.json` document: `{"schema": 1, "rows": [...]}`, the same for the same input.

    `signature` and `reference` are the documents of those names, `training` the raw rows. Each row has
    every field of the signature, with a value of its type that training rows have in common. A row is
    never one training row; where every combination of values occurs in training (few fields with few
    values), only rows that at least five training rows share are taken.
    `accept` tells of candidate rows which ones the model answers; the others are left out.
    """
    fields = [column for column in signature["columns"] if column["field"]]
    choices = {str(column["name"]): _choices(column, reference, training) for column in fields}
    candidates = list(itertools.islice(_candidates(choices, training), count * _SPARE if accept else count))
    if accept is not None and candidates:
        candidates = [row for row, good in zip(candidates, accept(candidates), strict=True) if good]
    return {"schema": 1, "rows": candidates[:count]}


def _candidates(choices: Mapping[str, list[Any]], training: pd.DataFrame) -> Iterator[Row]:
    seen: set[tuple[str, ...]] = set()
    for turn in range(_TRIES):
        row = {name: values[_place(turn, at, len(values))] for at, (name, values) in enumerate(choices.items())}
        key = tuple(map(repr, row.values()))
        if key in seen:
            continue
        seen.add(key)
        if not 0 < _times_in(training, row) < MIN_GROUP:
            yield row


def _place(turn: int, at: int, length: int) -> int:
    """Each field walks through its values in a direction and with a delay of its own: values meet in new company."""
    step = 1 if at % 2 == 0 else length - 1
    return (turn * step + turn // length * at) % length


def _times_in(training: pd.DataFrame, row: Row) -> int:
    same = pd.Series(True, index=training.index)
    columns = {str(name): training[name] for name in training.columns}
    for name, value in row.items():
        column = columns[name]
        same &= _equal(column, value)
    return int(same.sum())


def _equal(column: pd.Series[Any], value: Any) -> pd.Series[bool]:
    kind = kind_of(column)
    if kind == "datetime" and column.dtype == object:
        column, value = of_objects(column), pd.Timestamp(value)
    elif kind == "datetime":
        value = pd.Timestamp(value)
    same: pd.Series[bool] = (column == value).fillna(False).astype(bool)
    return same


def _choices(column: Mapping[str, Any], reference: Mapping[str, Any], training: pd.DataFrame) -> list[Any]:
    facts = reference["columns"].get(str(column["name"]), {})
    told = [item["value"] for item in facts.get("categories", [])[:3]]
    quantiles = facts.get("quantiles", {})
    told = told or list(dict.fromkeys(quantiles[share] for share in ("0.5", "0.25", "0.75") if share in quantiles))
    made = [_typed(column["type"], value) for value in told]
    if column.get("format") == "date":
        made = [value[:10] for value in made if value is not None]
    if column["type"] == "string":
        made = [value for value in made if isinstance(value, str)] or _made_texts(training[column["name"]])
    return [value for value in made if value is not None] or [_fallback(column)]


def _typed(kind: str, value: Any) -> Any:
    """The value as JSON of this type, None where it does not fit."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "integer":
        return round(value) if number else None
    if kind == "number":
        return float(value) if number and math.isfinite(value) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return value if kind == "any" or isinstance(value, str) else None


def _fallback(column: Mapping[str, Any]) -> Any:
    """For a column without anything in common: the middle of its range, a category, or a neutral value."""
    if column.get("categories"):
        return plain(column["categories"][0])
    low, high = column.get("minimum"), column.get("maximum")
    if column["type"] in ("integer", "number"):
        known = isinstance(low, int | float) and isinstance(high, int | float)
        middle = (low + high) / 2 if known else 0  # type: ignore[operator]
        return round(middle) if column["type"] == "integer" else float(middle)
    if column["type"] == "datetime":
        if low is not None:
            return str(low)
        zoned = "," in column["dtype"]  # datetime64[ns, Europe/Berlin]
        return "2020-01-01" if column.get("format") == "date" else "2020-01-01T00:00:00" + "+00:00" * zoned
    return False if column["type"] == "boolean" else "example"


def _made_texts(values: pd.Series[Any]) -> list[str]:
    """Texts for a column in which hardly any text occurs twice: a date in its format, or its common words."""
    texts = values[values.map(lambda value: isinstance(value, str))]
    if len(texts) < MIN_GROUP:
        return []
    for dayfirst in (False, True):
        layout = guess_datetime_format(texts.iloc[0], dayfirst=dayfirst)
        if layout is None:
            continue
        moments = of_texts(texts, layout).dropna()
        if len(moments) == len(texts):
            inner = moments.sort_values().iloc[[len(moments) // 2, len(moments) // 4, 3 * len(moments) // 4]]
            return [str(moment) for moment in inner.dt.strftime(layout)]
    return _common_words(texts)


def _common_words(texts: pd.Series[Any]) -> list[str]:
    places: dict[str, list[int]] = {}
    for text in texts:
        for place, word in enumerate(dict.fromkeys(text.split())):
            places.setdefault(word, []).append(place)
    common = sorted((word for word, at in places.items() if len(at) >= MIN_GROUP), key=lambda w: (-len(places[w]), w))
    length = min(_WORDS, max(1, int(texts.map(lambda text: len(text.split())).median())))
    made = []
    for start in range(min(3, len(common))):
        words = sorted(common[start : start + length], key=lambda word: (sum(places[word]) / len(places[word]), word))
        made.append(" ".join(words))
    known = set(texts)
    return [text for text in made if text not in known]
