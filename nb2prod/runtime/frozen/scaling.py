"""Scaling functions with training's statistics."""

from typing import Any

import numpy as np

from .packing import State, operation


@operation
def scale(state: State, X: Any, *_args: Any, **_options: Any) -> Any:
    """`sklearn.preprocessing.scale` with training's means and deviations: the same arithmetic in the same order."""
    if hasattr(X, "tocsc"):
        scaled = X.tocsc().astype(state["dtype"])
        return scaled.multiply(1.0 / _vector(state, "divide")).tocsc()
    result = np.array(X, dtype=state["dtype"])
    for step, operand in state["steps"]:
        vector = np.asarray(operand, dtype=state["dtype"])
        result = result / vector if step == "divide" else result - vector
    return result


def _vector(state: State, wanted: str) -> "np.ndarray[Any, Any]":
    operands = [operand for step, operand in state["steps"] if step == wanted]
    return np.asarray(operands[0] if operands else 1.0, dtype=state["dtype"])


def _scaled(estimator: Any, X: Any) -> Any:
    if hasattr(X, "tocsc"):
        return estimator.transform(X)
    array = np.asarray(X)
    result = np.asarray(estimator.transform(array.reshape(len(array), -1)))
    return result.reshape(array.shape)


def minmax_scale(state: Any, X: Any, *_args: Any, **_options: Any) -> Any:
    """`sklearn.preprocessing.minmax_scale`; the state is a MinMaxScaler fitted on training's values."""
    return _scaled(state, X)


def maxabs_scale(state: Any, X: Any, *_args: Any, **_options: Any) -> Any:
    """`sklearn.preprocessing.maxabs_scale`; the state is a MaxAbsScaler fitted on training's values."""
    return _scaled(state, X)


def robust_scale(state: Any, X: Any, *_args: Any, **_options: Any) -> Any:
    """`sklearn.preprocessing.robust_scale`; the state is a RobustScaler fitted on training's values."""
    return _scaled(state, X)


def quantile_transform(state: Any, X: Any, *_args: Any, **_options: Any) -> Any:
    """`sklearn.preprocessing.quantile_transform`; the state is a QuantileTransformer fitted on training's values."""
    return _scaled(state, X)


def power_transform(state: Any, X: Any, *_args: Any, **_options: Any) -> Any:
    """`sklearn.preprocessing.power_transform`; the state is a PowerTransformer fitted on training's values."""
    return _scaled(state, X)


@operation
def zscore(state: State, a: Any, *_args: Any, **_options: Any) -> "np.ndarray[Any, Any]":
    """`scipy.stats.zscore` with training's means and deviations; a constant column is missing, as scipy has it."""
    values = np.asarray(a, dtype=state["dtype"])
    mean, deviation = (np.asarray(state[k], dtype=state["dtype"]) for k in ("mean", "deviation"))
    with np.errstate(invalid="ignore", divide="ignore"):
        result = (values - mean) / deviation
    result[..., np.asarray(state["constant"], dtype=bool)] = np.nan
    return np.asarray(result)


@operation
def boxcox(state: State, x: Any, *_args: Any, **_options: Any) -> tuple[Any, float]:
    """`scipy.stats.boxcox` with training's lambda; returns the values and the lambda, as the call did."""
    from scipy import stats

    return stats.boxcox(np.asarray(x), lmbda=state["lambda"]), state["lambda"]


@operation
def yeojohnson(state: State, x: Any, *_args: Any, **_options: Any) -> tuple[Any, float]:
    """`scipy.stats.yeojohnson` with training's lambda; returns the values and the lambda, as the call did."""
    from scipy import stats

    return stats.yeojohnson(np.asarray(x), lmbda=state["lambda"]), state["lambda"]
