"""When two answers are equal: the one rule for the plan's trial, the proof, and the last look before a version gets the callers.

Labels, texts, integers and booleans must be identical, a missing value equals only a missing value, a vector is compared by position and an
object by key. A kind of JSON value is never taken for another one: `1`, `true`, `"1"` and, where the notebook gave an integer, `1.0` all differ.

Two floats are equal within a relative difference that their own precision allows (`PRECISION`), within the same share of the output's spread (an
answer near zero is rounded as coarsely as the numbers that it was summed from), and within the path's own noise: what the same rows, asked twice,
differ by. `precision.py` measures spread and noise. Needs the standard library only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

DEFAULT_TOLERANCE = 1e-9
PRECISION: Mapping[str, float] = {"float64": DEFAULT_TOLERANCE, "float32": 1e-5, "float16": 1e-2}
"""Up to which relative difference two floats of a type are equal, unless it is set otherwise."""

_MOMENT = re.compile(
    r"(?P<date>\d{4,}-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:\.(?P<fraction>\d+))?(?P<zone>Z|[+-]\d\d:?\d\d)?)?"
)


@dataclass(frozen=True)
class Measure:
    """What is known of the numbers at one place of an answer."""

    dtype: str = "float64"
    """The float that holds them; a key of `PRECISION`."""
    spread: float = 0.0
    """How far apart they commonly lie."""
    noise: float = 0.0
    """The largest difference between two answers to the same row."""

    def to_json(self) -> dict[str, Any]:
        """As in cases.json."""
        return {"dtype": self.dtype, "spread": self.spread, "noise": self.noise}


@dataclass(frozen=True)
class Allowed:
    """Up to which difference two numbers are equal: a share of the larger one, or an absolute difference."""

    relative: float
    absolute: float = 0.0


@dataclass(frozen=True)
class Tolerance:
    """Up to which difference two floats are equal.

    `relative`, and for single outputs `outputs`, are the user's word; without one it is what the float's own precision allows. `measured` is
    what the run showed, by place: an object's key, a vector's `[2]`, or `""` for a single number and for every place that is not named.
    """

    relative: float | None = None
    outputs: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, Measure] = field(default_factory=dict)

    def of(self, output: str, place: str = "") -> Allowed:
        """What is allowed for this output (a key of an object, the prediction's name otherwise), at this place in it."""
        known = self.measured.get(place) or self.measured.get(output) or self.measured.get("") or Measure()
        relative = self.outputs.get(output, self.relative)
        if relative is None:
            relative = PRECISION[known.dtype]
        return Allowed(relative, max(relative * known.spread, known.noise))

    @property
    def loosened(self) -> dict[str, float]:
        """The user's word by output where it asks for less than the default; `""` stands for all others."""
        given = {**({} if self.relative is None else {"": self.relative}), **self.outputs}
        return {name: value for name, value in given.items() if value > DEFAULT_TOLERANCE}

    def at(self, place: str) -> Tolerance:
        """The tolerance of what stands at this place alone, such as one feature of many."""
        known = self.measured.get(place) or self.measured.get("")
        return replace(self, measured={} if known is None else {"": known})


@dataclass(frozen=True)
class Difference:
    """Where two values differ: `place` within the value (`""`, `[2]`, `.price`), both parts, how far and why."""

    place: str
    expected: Any
    actual: Any
    reason: str
    size: float | None = None
    """The absolute difference of two numbers."""


@dataclass(frozen=True)
class _Rule:
    tolerance: Tolerance
    output: str
    kind: str
    allowed: Allowed
    by_value: bool = False
    """Numbers are equal by their value, whatever their type."""


def feature_difference(expected: Any, actual: Any, tolerance: Tolerance) -> Difference | None:
    """The first difference between two values of a feature: a number is what counts, not whether pandas held it as 24 or 24.0.

    Of one row pandas makes integers where among rows with missing values it made floats; no model tells them apart.
    """
    return _compared(expected, actual, _Rule(tolerance, "", "", tolerance.of(""), by_value=True), "")


def difference(
    expected: Any, actual: Any, tolerance: Tolerance, *, output: str = "", kind: str = ""
) -> Difference | None:
    """The first difference between two JSON values, or None where they are equal.

    `output` is the prediction's name, for its tolerance. `kind` is the signature's kind of prediction: it
    matters for `datetime` alone, whose texts are compared as moments written down (trailing zeros of a
    fraction and `Z` for `+00:00` make no difference).
    """
    return _compared(expected, actual, _Rule(tolerance, output, kind, tolerance.of(output)), "")


def same(expected: Any, actual: Any, tolerance: Tolerance, *, output: str = "") -> bool:
    """Whether two answers are equal."""
    return difference(expected, actual, tolerance, output=output) is None


def alike(one: Any, other: Any, tolerance: Tolerance) -> bool:
    """Whether two values are equal as features are: by value, whatever type holds a number."""
    # Containers of plain values compare fast, and hold no NaN, which would differ from itself.
    return bool(one == other) or feature_difference(one, other, tolerance) is None


def _compared(expected: Any, actual: Any, rule: _Rule, place: str) -> Difference | None:
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return _of_objects(expected, actual, rule, place)
    if isinstance(expected, (list, tuple)) and isinstance(actual, (list, tuple)):
        return _of_vectors(expected, actual, rule, place)
    if rule.by_value and _is_number(expected) and _is_number(actual):
        return _of_floats(float(expected), float(actual), rule.allowed, place)
    if type_name(expected) != type_name(actual) and not _numbers(expected, actual):
        return Difference(place, expected, actual, f"{type_name(expected)} expected, {type_name(actual)} answered")
    if isinstance(expected, float):
        return _of_floats(expected, float(actual), rule.allowed, place)
    if expected == actual or (rule.kind == "datetime" and _moment(expected) == _moment(actual)):
        return None
    size = float(abs(expected - actual)) if type(expected) is int else None
    return Difference(place, expected, actual, "differs", size)


def type_name(value: Any) -> str:
    """What a JSON value is, in words."""
    # The words' order matters: True is an int.
    for types, words in _TYPES:
        if isinstance(value, types):
            return words
    return type(value).__name__


_TYPES: tuple[tuple[Any, str], ...] = (
    (type(None), "a missing value"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a float"),
    (str, "a text"),
    ((list, tuple), "a vector"),
    (Mapping, "an object"),
)


def _is_number(value: Any) -> bool:
    # Beyond 2^53 integers have no float of their own: they are compared as they are.
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= 2**53)


def _numbers(expected: Any, actual: Any) -> bool:
    """Where a float is expected, JSON's writer may have dropped its `.0`; an integer never becomes a float."""
    return isinstance(expected, float) and type(actual) in (int, float)


def _of_floats(expected: float, actual: float, allowed: Allowed, place: str) -> Difference | None:
    if math.isnan(expected) or math.isnan(actual):
        equal = math.isnan(expected) and math.isnan(actual)
    else:
        equal = math.isclose(expected, actual, rel_tol=allowed.relative, abs_tol=allowed.absolute)
    if equal:
        return None
    size = abs(expected - actual)
    share = f", relative {size / abs(expected):.2g}" if expected and math.isfinite(size) else ""
    return Difference(place, expected, actual, f"differs by {size:.6g}{share}", size)


def _of_vectors(expected: Any, actual: Any, rule: _Rule, place: str) -> Difference | None:
    if len(expected) != len(actual):
        return Difference(place, expected, actual, f"{len(expected)} entries expected, {len(actual)} answered")
    for position, (one, other) in enumerate(zip(expected, actual, strict=True)):
        inside = f"[{position}]"
        own = rule if place else replace(rule, allowed=rule.tolerance.of(rule.output, inside))
        found = _compared(one, other, own, f"{place}{inside}")
        if found is not None:
            return found
    return None


def _of_objects(expected: Mapping[str, Any], actual: Mapping[str, Any], rule: _Rule, place: str) -> Difference | None:
    if set(expected) != set(actual):
        lacks, more = sorted(set(expected) - set(actual)), sorted(set(actual) - set(expected))
        parts = [f"{', '.join(lacks)} not answered"] * bool(lacks) + [f"{', '.join(more)} not expected"] * bool(more)
        return Difference(place, dict(expected), dict(actual), "; ".join(parts))
    for key, one in expected.items():
        own = replace(rule, output=key, allowed=rule.tolerance.of(key, key))
        found = _compared(one, actual[key], own, f"{place}.{key}")
        if found is not None:
            return found
    return None


def _moment(text: Any) -> object:
    """A date-time's canonical parts, or the value itself if it is no ISO 8601 text."""
    match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return text
    time = match["time"] or "00:00:00"
    zone = (match["zone"] or "").replace("Z", "+00:00")
    zone = f"{zone[:3]}:{zone[3:]}" if zone and ":" not in zone else zone
    return match["date"], time if len(time) > 5 else f"{time}:00", (match["fraction"] or "").rstrip("0"), zone
