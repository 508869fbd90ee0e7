"""By what two columns of the same things differ, where the pattern is plain: a unit, a shift, a rounding, a time zone, a default for missing, a spelling.

Each pattern is tried on the pairs that differ and named if it explains nearly all of them (`EXPLAINED`); the simplest comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
EXPLAINED = 0.95
FEWEST = 3
"""Pairs that a pattern needs."""
RELATIVE = 1e-9
_CLOSE = 1e-6
_UNITS = {
    1000.0: "a unit: thousandths", 100.0: "a unit: hundredths, as in cents or per cent", 60.0: "a unit: sixtieths, as in minutes or seconds",
    3600.0: "a unit: seconds of hours", 1.609344: "a unit: kilometres of miles", 2.54: "a unit: centimetres of inches",
    0.3048: "a unit: metres of feet", 0.45359237: "a unit: kilograms of pounds", 24.0: "a unit: hours of days",
    86400.0: "a unit: seconds of days",
}  # fmt: skip


def of_numbers(sent: Floats, known: Floats) -> str:
    """How numbers that callers sent differ from those of the table, pair by pair (none missing); empty where no pattern is plain."""
    if len(sent) < FEWEST:
        return ""
    for pattern in (_negated, _rounded, _scaled, _shifted, _logged):
        found = pattern(sent, known)
        if found:
            return found
    return _default(sent.tolist(), "numbers")


def of_times(sent: pd.Series[Any], known: pd.Series[Any]) -> str:
    """The same for moments, both in UTC or both without a zone."""
    if len(sent) < FEWEST:
        return ""
    seconds = (sent - known).dt.total_seconds().to_numpy()
    (value, count), *_ = Counter(np.round(seconds).tolist()).most_common(1)
    if count >= EXPLAINED * len(seconds):
        hours = value / 3600
        what = "a time zone" if hours and (4 * hours).is_integer() and abs(hours) <= 14 else "a shift"
        return f"{what}: sent is {abs(hours):g} hours {'later' if hours > 0 else 'earlier'}"
    if _most(np.asarray(np.isin(seconds, [-3600 * n for n in (1, 2)] + [3600 * n for n in (1, 2)]))):
        return "a time zone with summer time: sent is one or two hours off"
    for unit, word in (("D", "day"), ("h", "hour"), ("min", "minute"), ("s", "second")):
        if _most((sent == known.dt.floor(unit)).to_numpy()):
            return f"a rounding: sent is cut to the {word}"
    return ""


def of_texts(sent: Sequence[str], known: Sequence[str]) -> str:
    """The same for texts."""
    if len(sent) < FEWEST:
        return ""
    spellings: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("blanks at the ends", str.strip),
        ("upper and lower case", str.casefold),
        ("blanks and case", lambda text: "".join(text.casefold().split())),
        ("a zero at the beginning", lambda text: text.lstrip("0")),
    )
    for word, plain in spellings:
        if _most(np.array([plain(one) == plain(other) for one, other in zip(sent, known, strict=True)])):
            return f"a spelling: {word}"
    pairs = Counter(zip(known, sent, strict=True))
    names: dict[str, str] = {}
    for (other, one), _ in pairs.most_common():
        names.setdefault(other, one)
    renamed = sum(count for (other, one), count in pairs.items() if names[other] == one)
    # One value for all is a default; as many names as pairs are none.
    if len(set(names.values())) > 1 and len(names) <= len(sent) / FEWEST and renamed >= EXPLAINED * len(sent):
        shown = ", ".join(f"{other!r} is sent as {one!r}" for other, one in list(names.items())[:3])
        return f"other names: {shown}"
    return _default(list(sent), "texts")


def of_missing(sent: Sequence[Any], known_missing: int, sent_missing: int) -> str:
    """What is sent where the table has nothing (`sent`, of `known_missing` pairs), or that nothing is sent where it has something."""
    if known_missing >= FEWEST:
        (value, count), *_ = Counter(map(repr, sent)).most_common(1) or [("", 0)]
        if count >= EXPLAINED * known_missing:
            return f"a default for missing: sent is {value} where the table has nothing"
    if sent_missing >= FEWEST:
        return "a missing value is sent where the table has one"
    return ""


def differs(sent: Floats, known: Floats) -> npt.NDArray[np.bool_]:
    """Which pairs of numbers are different ones."""
    return ~np.isclose(sent, known, rtol=RELATIVE, atol=0.0)


def _most(right: npt.NDArray[np.bool_]) -> bool:
    return bool(right.mean() >= EXPLAINED)


def _negated(sent: Floats, known: Floats) -> str:
    return "the other sign" if _most(np.isclose(sent, -known, rtol=_CLOSE)) else ""


def _rounded(sent: Floats, known: Floats) -> str:
    if _most(np.isclose(sent, known, rtol=1e-7, atol=0.0)):
        return "a rounding: one of them was a float32"
    for digits in range(-3, 7):
        step = 10.0**-digits
        if _most(np.isclose(sent, np.round(known, digits), rtol=RELATIVE, atol=step * _CLOSE)):
            return f"a rounding: sent is rounded to {step:g}"
        if _most(np.isclose(sent, np.trunc(known / step) * step, rtol=RELATIVE, atol=step * _CLOSE)):
            return f"a rounding: sent is cut to {step:g}"
        if _most(np.isclose(known, np.round(sent, digits), rtol=RELATIVE, atol=step * _CLOSE)):
            return f"a rounding: the table's is rounded to {step:g}"
    return ""


def _scaled(sent: Floats, known: Floats) -> str:
    there = (known != 0) & (sent != 0)
    if there.sum() < FEWEST or len(np.unique(known[there])) < 2:
        return ""
    ratio = float(np.median(sent[there] / known[there]))
    if not _most(np.isclose(sent, known * ratio, rtol=1e-4)):
        return ""
    for unit, word in _UNITS.items():
        if np.isclose(ratio, unit, rtol=1e-3) or np.isclose(ratio, 1 / unit, rtol=1e-3):
            return f"{word} (sent is {ratio:.6g} times the table's)"
    return f"a factor: sent is {ratio:.6g} times the table's"


def _shifted(sent: Floats, known: Floats) -> str:
    if len(np.unique(known)) < 2:
        return ""
    off = float(np.median(sent - known))
    return (
        f"a shift: sent is {off:+.6g}"
        if _most(np.isclose(sent, known + off, rtol=_CLOSE, atol=abs(off) * 1e-4))
        else ""
    )


def _logged(sent: Floats, known: Floats) -> str:
    positive = known > 0
    if positive.sum() < FEWEST:
        return ""
    for word, made in (("log", np.log(known[positive])), ("log1p", np.log1p(known[positive]))):
        if _most(np.isclose(sent[positive], made, rtol=1e-4)):
            return f"a logarithm: sent is {word} of the table's"
    return ""


def _default(sent: Sequence[Any], what: str) -> str:
    (value, count), *_ = Counter(sent).most_common(1)
    return f"a default: sent is {value!r} for many {what}" if count >= EXPLAINED * len(sent) else ""
