"""The scaling functions of ``sklearn.preprocessing``."""

from typing import Any, Callable  # noqa: UP035 - a kernel's Python may be an old one

from .call import Call, Entry, NoEntry, all_arguments, down_the_columns, library, undisturbed
from .matching import own_name, register


def _two_dimensional(values: Any) -> Any:
    numpy = library("numpy")
    if hasattr(values, "tocsc"):
        return values
    array = numpy.asarray(values)
    return array.reshape(len(array), -1)


_SCALERS = {
    "minmax_scale": ("MinMaxScaler", ("feature_range",)),
    "maxabs_scale": ("MaxAbsScaler", ()),
    "robust_scale": ("RobustScaler", ("with_centering", "with_scaling", "quantile_range", "unit_variance")),
    "quantile_transform": (
        "QuantileTransformer",
        ("n_quantiles", "output_distribution", "ignore_implicit_zeros", "subsample", "random_state"),
    ),
    "power_transform": ("PowerTransformer", ("method", "standardize")),
}


def _capture_scaler(call: Call, result: Any) -> Any:
    name, options = _SCALERS[own_name(call)]
    given = all_arguments(call)
    values = _two_dimensional(call.arg(0, "X"))
    drawn = name == "QuantileTransformer" and given.get("random_state") is None
    if drawn and len(_two_dimensional(result)) > (given.get("subsample") or float("inf")):
        raise NoEntry(
            "F11",
            "`quantile_transform` drew a random sample of the rows, without a `random_state`.",
            "Use a QuantileTransformer with a `random_state`: `qt.fit_transform(X)`.",
        )
    scaler = getattr(library("sklearn.preprocessing"), name)(**{k: given[k] for k in options if k in given})
    with undisturbed():
        return scaler.fit(values.astype(float) if values.dtype.kind in "biu" else values)


def _capture_scale(call: Call, result: Any) -> Any:
    """The same arithmetic as `sklearn.preprocessing.scale`, kept step by step so that each row is equal to the bit."""
    numpy = library("numpy")
    values = call.arg(0, "X")
    given = all_arguments(call)
    if hasattr(values, "tocsc"):
        scaler = library("sklearn.preprocessing").StandardScaler(with_mean=False).fit(values)
        return {"dtype": str(result.dtype), "steps": [["divide", scaler.scale_.tolist()]] if given["with_std"] else []}
    rest = numpy.array(values, dtype=result.dtype)
    steps: list[Any] = []
    with undisturbed(), numpy.errstate(all="ignore"):
        mean, deviation = numpy.nanmean(rest, 0), numpy.nanstd(rest, 0)

        def recentre(by: Any) -> Any:
            steps.append(["subtract", by.tolist()])
            return rest - by

        if given["with_mean"]:
            rest = recentre(mean)
            again = numpy.nanmean(rest, axis=0)
            rest = rest if numpy.allclose(again, 0) else recentre(again)
        if given["with_std"]:
            handle = getattr(library("sklearn.preprocessing._data"), "_handle_zeros_in_scale", None)
            deviation = handle(deviation, copy=False) if handle else numpy.where(deviation == 0, 1.0, deviation)
            steps.append(["divide", numpy.asarray(deviation).tolist()])
            rest = rest / deviation
            again = numpy.nanmean(rest, axis=0)
            if given["with_mean"] and not numpy.allclose(again, 0):
                recentre(again)
    return {"dtype": str(result.dtype), "steps": steps}


def _scaling(name: str, capture: "Callable[[Call, Any], Any]") -> Entry:
    phrase = f"the statistics that {name} took from training's columns"
    return Entry(name, "F10", phrase, (f"sklearn.preprocessing:{name}",), capture, down_the_columns)


ENTRIES = register(
    _scaling("scale", _capture_scale),
    *(_scaling(name, _capture_scaler) for name in _SCALERS),
)
