"""How finely a path's numbers can be compared, measured from its answers: the float that holds them, their spread, the path's own noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .equality import PRECISION, Measure

_ROUNDING = 16 * float(np.finfo("float64").eps)
_DIGITS = 18
"""Binary digits that values must commonly need to be told from short decimals and halves."""
_Numbers = npt.NDArray[np.float64]


def measured(
    answers: Sequence[Any], dtypes: Mapping[str, str] | None = None, again: Sequence[Sequence[Any]] = ()
) -> dict[str, Measure]:
    """What is known of the numbers of some answers, by place (see `equality.Tolerance`); places that hold no floats are left out.

    Args:
        answers: plain values, one a row, as `outputs.per_row` makes them.
        dtypes: as `dtypes_of` tells them of the value that the answers were made of.
        again: answers to the same rows, each time that they were asked. Rows whose answers are no numbers are passed over.
    """
    known = dtypes or {}
    repeats = [_by_place(run) for run in again]
    found = {}
    for place, values in _by_place(answers).items():
        told = known.get(place) or known.get("") or "float64"
        dtype = told if told in PRECISION and told != "float64" else _own_dtype(values)
        found[place] = Measure(dtype, spread(values), _noise([run[place] for run in repeats if place in run]))
    return found


def dtypes_of(value: Any) -> dict[str, str]:
    """The float types of what a path returned, by place: a frame's by column, all others' under `""`; empty where it holds no floats."""
    if isinstance(value, pd.DataFrame):
        found = {str(name): _float_name(dtype) for name, dtype in zip(value.columns, value.dtypes, strict=True)}
        return {name: dtype for name, dtype in found.items() if dtype}
    kinds = getattr(value, "dtype", None)
    if kinds is None and isinstance(value, (list, tuple)) and len(value):
        kinds = getattr(value[0], "dtype", None)
    name = _float_name(kinds)
    return {"": name} if name else {}


def spread(values: _Numbers) -> float:
    """How far apart numbers commonly lie: between the quarters, or wider ends where most of them differ by rounding alone.

    An outlier does not count: a spread that one value makes would hide the others' differences.
    """
    finite = values[np.isfinite(values)]
    if len(finite) < 2:
        return 0.0
    least = _ROUNDING * float(np.abs(finite).max())
    for low, high in ((25, 75), (5, 95), (0, 100)):
        a, b = np.percentile(finite, [low, high])
        if b - a > least:
            return float(b - a)
    return 0.0


def _float_name(dtype: Any) -> str:
    # Nullable floats of pandas are called Float32; a torch tensor's dtype torch.float32.
    name = str(dtype).lower().rpartition(".")[2]
    return name if name in PRECISION else ""


def _by_place(answers: Sequence[Any]) -> dict[str, _Numbers]:
    """The floats of plain values, one array a place; None and texts (infinity) become NaN."""
    first = next((answer for answer in answers if answer is not None), None)
    if isinstance(first, Mapping):
        columns = {str(key): [a.get(key) if isinstance(a, Mapping) else None for a in answers] for key in first}
    elif isinstance(first, list):
        rows = [a if isinstance(a, list) and len(a) == len(first) else [None] * len(first) for a in answers]
        columns = {f"[{at}]": [row[at] for row in rows] for at in range(len(first))}
    else:
        columns = {"": list(answers)}
    return {place: _numbers(values) for place, values in columns.items() if any(type(v) is float for v in values)}


def _numbers(values: Sequence[Any]) -> _Numbers:
    return np.array([v if isinstance(v, (int, float)) else np.nan for v in values], dtype="float64")


def _own_dtype(values: _Numbers) -> str:
    """float32 where float64s all hold values of that, and need most of its digits: the notebook turned them into another type at the end."""
    finite = values[np.isfinite(values) & (values != np.round(values))]
    if not len(finite) or np.abs(finite).max() > float(np.finfo("float32").max):
        return "float64"
    if not (finite.astype("float32").astype("float64") == finite).all():
        return "float64"
    whole = np.ldexp(np.frexp(np.abs(finite))[0], 24).astype("int64")
    trailing = np.log2((whole & -whole).astype("float64"))
    return "float32" if float(np.median(24 - trailing)) >= _DIGITS else "float64"


def _noise(runs: Sequence[_Numbers]) -> float:
    if len(runs) < 2 or len({len(run) for run in runs}) > 1:
        return 0.0
    stacked = np.stack(runs)
    seen = np.isfinite(stacked).all(axis=0)
    return float((stacked[:, seen].max(axis=0) - stacked[:, seen].min(axis=0)).max()) if seen.any() else 0.0
