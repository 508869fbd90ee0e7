"""Odd values of one raw column: what a request sends, and what pandas then holds, or that the contract refuses it.

Runs in the kernel's own Python beside `edges.py`. It knows the type matrix on its own account and uses nothing of the runtime's codecs: what
they make of a request is what these values are there to test.
"""

from __future__ import annotations

import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

try:
    from pandas.tseries.api import guess_datetime_format
except ImportError:  # before pandas 2.2
    from pandas.core.tools.datetimes import guess_datetime_format  # type: ignore[attr-defined,no-redef]

from .moments import of_texts

MISSING: Any = object()
"""Held where the value is missing, whatever the column's own mark for it."""
REFUSED: Any = object()
"""Held where the contract refuses what is sent."""

# What is asked first where not all can be.
ABSENT, CATEGORY, FORM, EXTREME, CONTRACT = range(5)
_EXACT = 2**53 + 1
_MOMENTS = ("%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%d %B %Y", "%Y%m%d")
_RARE = 2


@dataclass(frozen=True)
class Odd:
    """One value: `sent` as JSON carries it, `held` as pandas does."""

    words: str
    sent: Any
    held: Any
    rank: int


def of_column(column: dict[str, Any], raw: pd.Series[Any]) -> Iterator[Odd]:
    """All that is worth trying in this column of the signature; `raw` is training's."""
    yield Odd("missing", None, MISSING if column["nullable"] else REFUSED, ABSENT if column["nullable"] else CONTRACT)
    seen = raw.dropna()
    if column["dtype"] == "category":
        yield from _categories(column, seen)
    else:
        yield from _KINDS[column["type"]](column, seen)
    yield from (Odd(words, sent, REFUSED, CONTRACT) for words, sent in _FOREIGN[column["type"]])


def _numbers(column: dict[str, Any], seen: pd.Series[Any]) -> Iterator[Odd]:
    dtype = np.dtype(str(column["dtype"]).lower()) if column["dtype"] != "object" else np.dtype("float64")
    limit = float(np.finfo(dtype).max)

    def number(words: str, sent: float, rank: int = EXTREME) -> Odd:
        fits = abs(float(sent)) <= limit
        return Odd(words, sent, float(sent) if fits else REFUSED, rank if fits else CONTRACT)

    finite = seen[np.isfinite(seen.astype("float64"))].astype("float64")
    if len(finite):
        least, greatest, middle = float(finite.min()), float(finite.max()), float(finite.median())
        span = max(greatest - least, 1.0)
        yield number("an integer instead of a float", round(middle), FORM)
        yield number("beyond the greatest", greatest + span)
        yield number("below the least", least - span)
        yield number("the greatest", greatest)
        yield number("the least", least)
    yield number("zero", 0.0)
    yield number("minus one and a half", -1.5)
    yield number("an integer past 2^53", _EXACT)
    yield number("a very large number", 1e300)
    yield number("a very small number", 1e-300)
    yield Odd("an integer too large for a float", 10**400, REFUSED, CONTRACT)


def _integers(column: dict[str, Any], seen: pd.Series[Any]) -> Iterator[Odd]:
    bounds = None if column["dtype"] == "object" else np.iinfo(np.dtype(str(column["dtype"]).lower()))

    def integer(words: str, sent: float, rank: int = EXTREME) -> Odd:
        fits = bounds is None or int(bounds.min) <= int(sent) <= int(bounds.max)
        return Odd(words, sent, int(sent) if fits else REFUSED, rank if fits else CONTRACT)

    if len(seen):
        least, greatest, common = int(seen.min()), int(seen.max()), int(seen.mode().iloc[0])
        span = max(greatest - least, 1)
        if abs(common) < _EXACT:
            yield integer("a float instead of an integer", float(common), FORM)
        yield integer("beyond the greatest", greatest + span)
        yield integer("below the least", least - span)
        yield integer("the greatest", greatest)
        yield integer("the least", least)
    yield integer("zero", 0)
    yield integer("minus one", -1)
    yield integer("an integer past 2^53", _EXACT)
    if bounds is not None:
        yield Odd("an integer too large for its type", int(bounds.max) + 1, REFUSED, CONTRACT)
    yield Odd("a fraction", 2.5, REFUSED, CONTRACT)


def _booleans(column: dict[str, Any], seen: pd.Series[Any]) -> Iterator[Odd]:
    yield Odd("true", sent=True, held=True, rank=FORM)
    yield Odd("false", sent=False, held=False, rank=FORM)


def _texts(column: dict[str, Any], seen: pd.Series[Any]) -> Iterator[Odd]:
    known = set(seen)
    counts = seen.value_counts()
    common = str(counts.index[0]) if len(counts) else "text"

    def text(words: str, sent: str, rank: int = CATEGORY) -> Odd:
        return Odd(words, sent, sent, rank)

    yield text("an unseen value", next(name for name in _unseen() if name not in known))
    yield text("an empty text", "")
    yield text("whitespace", "  ")
    for value in counts.index[::-1][:_RARE]:
        yield text("a rare value", str(value))
    for moment in _moments(seen):
        yield text("a date in another format", moment, FORM)
    for moment in _own_moments(seen):
        yield text("around the clock", moment, FORM)
    yield text("a common value in other case", common.swapcase(), FORM)
    yield text("a common value among spaces", f" {common} ", FORM)
    yield text("beyond ASCII", "Zürich 東京 🙂", FORM)
    yield text("an accent apart from its letter", unicodedata.normalize("NFD", "Zürich"), FORM)
    yield text("digits", "12", EXTREME)
    yield text("a word for missing", "NaN", EXTREME)
    yield text("a long text", "long " * 200, EXTREME)


def _unseen() -> Iterator[str]:
    number = 0
    while True:
        yield f"never seen {number}" if number else "never seen"
        number += 1


def _moments(seen: pd.Series[Any]) -> Iterator[str]:
    """Some day of training in other formats, if the column's texts are dates."""
    if seen.empty or not any(letter.isdigit() for letter in str(seen.iloc[0])):
        return
    sample = seen.iloc[:50].astype(str)
    if not sample.str.fullmatch(r"[\dA-Za-z :/.,+-]{6,32}").all() or sample.str.fullmatch(r"[\d.+-]+").all():
        return
    moments = pd.to_datetime(sample, errors="coerce", format="mixed", utc=True)
    if moments.isna().any():
        return
    for layout in _MOMENTS:
        yield moments.iloc[0].strftime(layout)
    yield "2024-02-29"
    yield "2024-02-30"


def _own_moments(seen: pd.Series[Any]) -> Iterator[str]:
    """Hours of the day that begins a month, as the column's texts write them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whether the day comes first does not matter here
        layout = guess_datetime_format(str(seen.iloc[0])) if len(seen) else None
    if layout is not None and "%H" in layout and next(_moments(seen), None) is not None:
        day = of_texts(seen.iloc[:50].astype(str), layout).min()
        if not pd.isna(day):
            yield from (moment.strftime(layout) for moment in _around_the_clock(day, 2))


def _around_the_clock(moment: pd.Timestamp, step: int) -> Iterator[pd.Timestamp]:
    """The hours on which another zone's date, and with it weekday and month, would be another one."""
    begin = (moment.floor("D") + pd.offsets.MonthBegin()) + pd.Timedelta(minutes=30)
    yield from (begin + pd.Timedelta(hours=hour) for hour in range(0, 24, step))


def _datetimes(column: dict[str, Any], seen: pd.Series[Any]) -> Iterator[Odd]:
    if seen.empty:
        return
    zone = getattr(seen.dtype, "tz", None)
    made = {"date": pd.Timestamp.date, "datetime": pd.Timestamp.to_pydatetime}.get(column["format"] or "")

    def moment(words: str, held: pd.Timestamp, layout: str = "%Y-%m-%dT%H:%M:%S", rank: int = EXTREME) -> Odd:
        offset = "" if zone is None else "+00:00"
        told = held if zone is None else held.tz_convert("UTC")
        return Odd(words, told.strftime(layout) + offset, made(held) if made else held, rank)

    whole = pd.to_datetime(seen.astype(object), utc=zone is not None).dt.floor("s")
    whole = whole if zone is None else whole.dt.tz_convert(zone)
    least, greatest, middle = whole.min(), whole.max(), whole.iloc[len(whole) // 2]
    yield moment("beyond the latest", (greatest + pd.Timedelta(days=400)).floor("D"))
    yield moment("before the earliest", (least - pd.Timedelta(days=400)).floor("D"))
    yield moment("a leap day", pd.Timestamp("2024-02-29", tz=zone))
    if made is not pd.Timestamp.date:
        for hour in _around_the_clock(middle if zone is None else middle.tz_convert("UTC"), 1):
            yield moment("around the clock", hour if zone is None else hour.tz_convert(zone), rank=FORM)
    if zone is None:
        yield moment("a day without a time", middle.floor("D"), "%Y-%m-%d", FORM)
        yield moment("with a space instead of T", middle.floor("D"), "%Y-%m-%d %H:%M:%S", FORM)
        yield Odd("with an offset", f"{middle:%Y-%m-%dT%H:%M:%S}+00:00", REFUSED, CONTRACT)
    else:
        other = middle.tz_convert("UTC") + pd.Timedelta(hours=5)
        yield Odd("with another offset", f"{other:%Y-%m-%dT%H:%M:%S}+05:00", middle, FORM)
        yield Odd("without an offset", f"{middle:%Y-%m-%dT%H:%M:%S}", REFUSED, CONTRACT)
    if column["dtype"] == "category" or column["format"] in (None, "date", "datetime"):
        yield Odd("a date in another format", f"{middle:%d/%m/%Y}", REFUSED, CONTRACT)
    yield Odd(
        "a day that there is not", "2023-02-30" if zone is None else "2023-02-30T00:00:00+00:00", REFUSED, CONTRACT
    )


def _anything(column: dict[str, Any], seen: pd.Series[Any]) -> Iterator[Odd]:
    for words, value in (("a text", "text"), ("an integer", 7), ("a float", 7.5), ("a boolean", True)):
        yield Odd(words, value, value, FORM)
    for value in seen.iloc[:: max(1, len(seen) // 3)][:3]:
        if isinstance(value, (str, bool, int, float)):
            yield Odd("a value of training", value, value, FORM)


def _categories(column: dict[str, Any], seen: pd.Series[Any]) -> Iterator[Odd]:
    known = list(column["categories"] or ())
    counts = seen.astype(object).value_counts()
    if column["type"] == "string":
        yield Odd("an unseen value", next(name for name in _unseen() if name not in known), MISSING, CATEGORY)
        yield Odd("an empty text", "", "" if "" in known else MISSING, CATEGORY)
        for value in counts.index[::-1][:_RARE]:
            yield Odd("a rare value", value, value, CATEGORY)
        for words, value in (("other case", str(counts.index[0]).swapcase()), ("spaces", f" {counts.index[0]} ")):
            yield Odd(f"a common value in {words}", value, value if value in known else MISSING, FORM)
    elif column["type"] in ("integer", "number") and known:
        yield Odd("an unseen value", max(known) + 1, MISSING, CATEGORY)


_KINDS = {
    "number": _numbers,
    "integer": _integers,
    "boolean": _booleans,
    "string": _texts,
    "datetime": _datetimes,
    "any": _anything,
}
_FOREIGN: dict[str, tuple[tuple[str, Any], ...]] = {
    "number": (("a number in quotes", "1.5"), ("a boolean", True), ("a list", [1.5])),
    "integer": (("a number in quotes", "1"), ("a boolean", True), ("an object", {"a": 1})),
    "boolean": (("a word for true", "true"), ("one instead of true", 1)),
    "string": (("a number", 12), ("a boolean", True), ("a list", ["a"])),
    "datetime": (("a number", 1356998400), ("an empty text", "")),
    "any": (),
}
"""What the type matrix refuses whatever the column holds."""
