"""Texts read as numbers and dates, and dates written as text, in the way that all values together decide."""

import contextlib
import importlib
from typing import Any

from .call import Call, Entry, is_pandas, kind_of, undisturbed
from .matching import register
from .packing import pack_dtype


def _capture_dtype(call: Call, result: Any) -> Any:
    return {"dtype": pack_dtype(result.dtype)}


def _numbers_depend(call: Call) -> bool:
    """Text becomes integers or floats by what the batch holds; numbers stay what they are, unless made smaller."""
    values = call.arg(0, "arg")
    return hasattr(values, "__len__") and (kind_of(values) not in "biufM" or call.arg(2, "downcast") is not None)


def _dates_depend(call: Call) -> bool:
    """Without a format pandas takes the first value's; a format fixes it all but for fractions of a second."""
    values, form = call.arg(0, "arg"), call.arg(5, "format")
    if not hasattr(values, "__len__") or is_pandas(values, "DataFrame") or isinstance(values, (dict, str)):
        return False
    if kind_of(values) in "Mi":
        return False
    loose = not isinstance(form, str) or form in ("mixed", "ISO8601") or "%f" in form
    return loose or call.arg(6, "exact", True) is False


def _capture_datetime(call: Call, result: Any) -> Any:
    state = {"format": None, "dtype": pack_dtype(result.dtype)}
    arg = call.arg(0, "arg")
    if call.arg(5, "format") is not None or is_pandas(arg, "DataFrame") or isinstance(arg, dict):
        return state
    first = next((v for v in list(arg) if isinstance(v, str) and v), None)
    if first is not None:
        with undisturbed():
            state["format"] = _guesser()(first, dayfirst=bool(call.arg(2, "dayfirst", False)))
    return state


def _guesser() -> Any:
    """What reads the format of a date's text: from pandas 2 on the format of the first value is all."""
    for module in ("pandas.tseries.api", "pandas.core.tools.datetimes"):  # it moved in pandas 2.2
        with contextlib.suppress(Exception):
            return importlib.import_module(module).guess_datetime_format
    raise ImportError("pandas has no guess_datetime_format")


def _writes_dates(call: Call) -> bool:
    return str(call.arg(0, "dtype")) in ("str", "string", "<class 'str'>") and kind_of(call.receiver) in "mM"


def _capture_date_text(call: Call, result: Any) -> Any:
    """Whether the time of day and which fractions are written depends on all dates: keep the most precise one."""
    known = call.receiver.dropna()
    for unit in ("nanosecond", "microsecond", "second", "minute", "hour"):
        part = getattr(known.dt, unit if kind_of(known) == "M" else unit + "s", None)
        if part is not None and (part != 0).any():
            return {"anchor": known[(part != 0).to_numpy()].iloc[0]}
    return {"anchor": known.iloc[0] if len(known) else None}


ENTRIES = register(
    Entry(
        "to_numeric",
        "F14",
        "the dtype that training's values gave",
        ("pandas:to_numeric",),
        _capture_dtype,
        _numbers_depend,
        suffix="number_type",
    ),
    Entry(
        "to_datetime",
        "F14",
        "the date format that pandas found in training, and its dtype",
        ("pandas:to_datetime",),
        _capture_datetime,
        _dates_depend,
        suffix="date_format",
    ),
    Entry(
        "date_text",
        "F14",
        "how precisely training's dates were written",
        ("Series.astype",),
        _capture_date_text,
        _writes_dates,
        suffix="date_precision",
    ),
)
