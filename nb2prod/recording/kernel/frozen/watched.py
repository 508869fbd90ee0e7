"""A Series that notes each statistic asked of it, and of what is computed from it row by row."""

import sys
from typing import Any, Callable  # noqa: UP035 - a kernel's Python may be an old one

from .call import NoEntry, library
from .categories import means_category
from .codes import uniques_state
from .no_row_form import BATCH_DEPENDENT, explain, reason
from .notes import CLASSES, LOGS, note, plain_value
from .packing import pack_dtype

# The same names as in nb2prod/runtime/frozen/tape.py: what is noted here is answered there.
METHODS = (
    "mean median mode std var sem sum prod product min max count nunique quantile skew kurt kurtosis any all idxmin "
    "idxmax argmin argmax unique value_counts describe first_valid_index last_valid_index autocorr corr cov item"
).split()


PROPERTIES = ("empty", "size", "hasnans", "shape", "is_unique")


FUNCTIONS = frozenset(
    "mean nanmean median nanmedian std nanstd var nanvar sum nansum prod nanprod min nanmin max nanmax amin amax "
    "percentile nanpercentile quantile nanquantile any all ptp average count_nonzero argmin argmax size".split()
)


def _asked_by_library() -> bool:
    """Whether pandas, numpy or the recorder's hooks ask: only what the notebook's function asks for is noted."""
    module = str(sys._getframe(2).f_globals.get("__name__", ""))
    return not LOGS or module.partition(".")[0] in ("pandas", "numpy", __name__.partition(".")[0])


def watched() -> Any:
    """A Series that notes each statistic asked of it, and of what is computed from it row by row."""
    if "series" in CLASSES:
        return CLASSES["series"]
    series = library("pandas").Series
    members: dict[str, Any] = {"_constructor": property(lambda _: CLASSES["series"])}
    for names, member in ((METHODS, _asking), (PROPERTIES, _telling_property), (tuple(BATCH_DEPENDENT), _refusing)):
        members.update((name, member(name, getattr(series, name))) for name in names if hasattr(series, name))
    members.update((name, member(series)) for name, member in _special().items())
    CLASSES["series"] = type("Watched", (series,), members)
    return CLASSES["series"]


def _special() -> "dict[str, Callable[[Any], Any]]":
    return {"__len__": _length, "astype": _categorised, "factorize": _coded, "__array_function__": _numpy_function}


def _length(series: Any) -> Any:
    def length(self: Any) -> int:
        size = int(series.__len__(self))
        return size if _asked_by_library() else int(note("__len__", size))

    return length


def _categorised(series: Any) -> Any:
    def astype(self: Any, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        made = series.astype(self, dtype, *args, **kwargs)
        if not _asked_by_library() and means_category(dtype):
            LOGS[-1].append(["astype", {"kind": "series", "dtype": pack_dtype(made.dtype)}])
        return made

    return astype


def _coded(series: Any) -> Any:
    def factorize(self: Any, *args: Any, **kwargs: Any) -> Any:
        made = series.factorize(self, *args, **kwargs)
        if LOGS:
            LOGS[-1].append(["factorize", uniques_state(made[1], made[0].dtype)])
        return made

    return factorize


def _numpy_function(series: Any) -> Any:
    def call(_: Any, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        name = func.__name__
        if LOGS and name in BATCH_DEPENDENT:
            raise NoEntry(*reason(name))
        made = func(*map(plain_value, args), **{key: plain_value(value) for key, value in kwargs.items()})
        if LOGS and name in FUNCTIONS:
            return note(name, made)
        return CLASSES["series"](made) if isinstance(made, series) else made

    return call


def _asking(name: str, native: Any) -> Any:
    def ask(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _asked_by_library():
            return native(self, *args, **kwargs)
        return note(name, getattr(plain_value(self), name)(*args, **kwargs))

    return ask


def _telling_property(name: str, native: Any) -> Any:
    def ask(self: Any) -> Any:
        if _asked_by_library():
            return native.__get__(self)
        return note(name, getattr(plain_value(self), name))

    return property(ask)


def _refusing(name: str, native: Any) -> Any:
    if not callable(native):
        return native

    def refuse(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = None if _asked_by_library() else explain(None, self, name, args, kwargs)
        if found is None:
            return native(self, *args, **kwargs)
        raise NoEntry(*found)

    return refuse
