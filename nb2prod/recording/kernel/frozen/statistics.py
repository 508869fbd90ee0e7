"""Functions of ``scipy.stats`` that scale by what they learn of all values."""

import contextlib
from typing import Any

from .call import Call, Entry, all_arguments, down_the_columns, library, undisturbed
from .matching import register


def _capture_zscore(call: Call, result: Any) -> Any:
    numpy = library("numpy")
    given = all_arguments(call)
    values = numpy.asarray(call.arg(0, "a"))
    values = values if values.dtype.kind == "f" else values.astype(float)
    omit = given.get("nan_policy") == "omit"
    ddof = given.get("ddof", 0)
    candidates = []
    with undisturbed(), numpy.errstate(all="ignore"):
        private = library("scipy.stats._stats_py")
        with contextlib.suppress(Exception):
            options = {"axis": 0, "keepdims": True, "nan_policy": given.get("nan_policy", "propagate")}
            spread = private._xp_var(values, correction=ddof, **options) ** 0.5
            candidates.append((private._xp_mean(values, **options), spread))
        mean, std = (numpy.nanmean, numpy.nanstd) if omit else (numpy.mean, numpy.std)
        candidates.append((mean(values, axis=0, keepdims=True), std(values, axis=0, ddof=ddof, keepdims=True)))
        for found in candidates:
            middle, spread = (numpy.asarray(part)[0] for part in found)
            constant = spread <= numpy.abs(numpy.finfo(values.dtype).eps * middle)
            again = (values - middle) / spread
            again[..., constant] = numpy.nan
            if numpy.array_equal(again, numpy.asarray(result), equal_nan=True):
                break
    return {
        "dtype": str(values.dtype),
        "mean": middle.tolist(),
        "deviation": spread.tolist(),
        "constant": constant.tolist(),
    }


def _fits_lambda(call: Call) -> bool:
    return call.arg(1, "lmbda") is None and call.arg(2, "alpha") is None


def _capture_lambda(call: Call, result: Any) -> Any:
    return {"lambda": result[1]}


ENTRIES = register(
    Entry(
        "zscore",
        "F10",
        "the mean and deviation of training's values",
        ("scipy.stats:zscore",),
        _capture_zscore,
        down_the_columns,
        suffix="scaling",
    ),
    Entry(
        "boxcox",
        "F10",
        "the lambda that fitted training's values",
        ("scipy.stats:boxcox",),
        _capture_lambda,
        _fits_lambda,
        suffix="boxcox_lambda",
    ),
    Entry(
        "yeojohnson",
        "F10",
        "the lambda that fitted training's values",
        ("scipy.stats:yeojohnson",),
        _capture_lambda,
        _fits_lambda,
        suffix="yeojohnson_lambda",
    ),
)
