"""Replay what a function of a Series took from training's rows: its means, modes, counts, in the order it took them.

`groupby(...).transform(lambda s: s.fillna(s.median()))` mixes a row's own value with a statistic of its group. While
recording, the group's Series noted each statistic that the notebook's function asked for; here the function is run
again on the request's rows, and each such question gets training's answer.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import pandas as pd

from .categories import factorize
from .packing import StateMismatch, unpack, unpack_dtype

# The same names as in nb2prod/recording/kernel/frozen/watched.py: what is noted there is answered here.
METHODS = (
    "mean median mode std var sem sum prod product min max count nunique quantile skew kurt kurtosis any all idxmin "
    "idxmax argmin argmax unique value_counts describe first_valid_index last_valid_index autocorr corr cov item"
).split()
PROPERTIES = ("empty", "size", "hasnans", "shape", "is_unique")
FUNCTIONS = frozenset(
    "mean nanmean median nanmedian std nanstd var nanvar sum nansum prod nanprod min nanmin max nanmax amin amax "
    "percentile nanpercentile quantile nanquantile any all ptp average count_nonzero argmin argmax size".split()
)

_TAPE: "ContextVar[Any]" = ContextVar("nb2prod_tape", default=None)


class Tape:
    """Training's answers for one group or column, handed out in the order in which they were asked for."""

    def __init__(self, steps: list[Any]) -> None:
        self._steps = iter(steps)

    @staticmethod
    def series(values: "pd.Series[Any]") -> "pd.Series[Any]":
        """A Series that asks the tape of the moment instead of its own few rows."""
        return _Replayed(values)

    def answer(self, name: str, _native: Callable[[], Any]) -> Any:
        """The next recorded answer; raises StateMismatch if training asked for something else at this point."""
        return _unpacked(self.step(name))

    def step(self, name: str) -> Any:
        """What was noted for the next step, as it was noted."""
        recorded, value = next(self._steps, (None, None))
        if recorded != name:
            raise StateMismatch(f"training asked for {recorded or 'no more'}, the request's rows ask for {name}")
        return value


class UnseenTape(Tape):
    """For a group that training never saw: statistics are missing, counts and tests are of the rows at hand."""

    def __init__(self) -> None:
        super().__init__([])

    def answer(self, name: str, native: Callable[[], Any]) -> Any:
        if name in ("empty", "size", "shape", "hasnans", "is_unique", "__len__", "count", "nunique", "any", "all"):
            return native()
        return pd.Series([np.nan]) if name in ("mode", "value_counts") else np.nan


@contextmanager
def watched(tape: Tape) -> Iterator[None]:
    """Answer from `tape` inside the block."""
    token = _TAPE.set(tape)
    try:
        yield
    finally:
        _TAPE.reset(token)


def plain(value: Any) -> Any:
    """The value without the replaying class."""
    if isinstance(value, _Replayed):
        return pd.Series(value.array, index=value.index, name=value.name)
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    return value


def _unpacked(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "missing" in value:
        return pd.NaT if value["missing"] == "NaT" else pd.NA
    if "series" in value:
        return pd.Series(unpack(value["series"]).array, index=unpack(value["index"]))
    index = unpack(value["array"])
    return index.to_numpy() if isinstance(index.dtype, np.dtype) else index.array


def _means_category(dtype: Any) -> bool:
    """Whether this names a categorical without saying its categories."""
    if isinstance(dtype, str):
        return dtype == "category"
    return isinstance(dtype, pd.CategoricalDtype) and dtype.categories is None


def _asked_by_library(depth: int) -> bool:
    """Whether pandas, numpy or the runtime ask: only what the notebook's function asks for was noted."""
    module = str(sys._getframe(depth).f_globals.get("__name__", ""))  # noqa: SLF001 - no public way
    return module.partition(".")[0] in ("pandas", "numpy", __name__.partition(".")[0])


class _Replayed(pd.Series):
    """A Series whose statistics come from the tape; what is computed from it row by row is one as well."""

    @property
    def _constructor(self) -> Any:
        return _Replayed

    def __len__(self) -> int:
        tape = _TAPE.get()
        if tape is None or _asked_by_library(2):
            return super().__len__()
        return int(tape.answer("__len__", super().__len__))

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        tape = _TAPE.get()
        if tape is None or isinstance(tape, UnseenTape) or _asked_by_library(2) or not _means_category(dtype):
            return super().astype(dtype, *args, **kwargs)
        return super().astype(unpack_dtype(tape.step("astype")["dtype"]))

    def factorize(self, *args: Any, **kwargs: Any) -> Any:
        tape = _TAPE.get()
        if tape is None or isinstance(tape, UnseenTape):
            return super().factorize(*args, **kwargs)
        return factorize(tape.step("factorize"), plain(self))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        tape = _TAPE.get()
        own = tuple(map(plain, args))
        named = {key: plain(value) for key, value in kwargs.items()}
        if tape is not None and func.__name__ in FUNCTIONS:
            return tape.answer(func.__name__, lambda: func(*own, **named))
        made = func(*own, **named)
        return _Replayed(made) if isinstance(made, pd.Series) else made


def _method(name: str) -> Callable[..., Any]:
    native = getattr(pd.Series, name)

    def ask(self: Any, *args: Any, **kwargs: Any) -> Any:
        tape = _TAPE.get()
        if tape is None or _asked_by_library(2):
            return native(self, *args, **kwargs)
        return tape.answer(name, lambda: getattr(plain(self), name)(*args, **kwargs))

    ask.__name__ = name
    return ask


def _property(name: str) -> property:
    native: Any = getattr(pd.Series, name)

    def ask(self: Any) -> Any:
        tape = _TAPE.get()
        if tape is None or _asked_by_library(2):
            return native.__get__(self)
        return tape.answer(name, lambda: getattr(plain(self), name))

    return property(ask)


for _name in METHODS:
    if hasattr(pd.Series, _name):
        setattr(_Replayed, _name, _method(_name))
for _name in PROPERTIES:
    if hasattr(pd.Series, _name):
        setattr(_Replayed, _name, _property(_name))
