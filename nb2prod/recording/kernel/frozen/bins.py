"""Bins whose edges come from the values at hand: ``cut``, ``qcut``."""

from typing import Any

from .call import Call, Entry, NoEntry, library, undisturbed
from .matching import own_name, register
from .packing import pack


def _is_count(value: Any) -> bool:
    return isinstance(value, int) or (hasattr(value, "__index__") and not hasattr(value, "__len__"))


def _capture_bins(call: Call, result: Any) -> Any:
    pandas = library("pandas")
    edges = result[1] if call.arg(4 if own_name(call) == "cut" else 3, "retbins", False) else None
    if edges is None:
        options = {**call.kwargs, "retbins": True}
        args = call.args
        place = 4 if own_name(call) == "cut" else 3
        if len(args) > place:
            args = (*args[:place], True, *args[place + 1 :])
            options.pop("retbins")
        with undisturbed():
            result, edges = call.func(*args, **options)
    else:
        result = result[0]
    codes = getattr(result, "dtype", None)
    if bool(pandas.isna(pandas.Index(edges)).any()):
        raise NoEntry(
            "F5", "All of training's values are missing, so that the bins have no edges.", "Leave this column out."
        )
    return {
        "edges": pack(pandas.Index(edges)),
        "kind": "index" if isinstance(edges, pandas.Index) else "array",
        "codes": str(codes) if call.arg(3 if own_name(call) == "cut" else 2, "labels") is False else None,
    }


ENTRIES = register(
    Entry(
        "cut",
        "F5",
        "the edges of the bins, from training's smallest and largest value",
        ("pandas:cut",),
        _capture_bins,
        lambda call: _is_count(call.arg(1, "bins")),
        suffix="bins",
    ),
    Entry(
        "qcut",
        "F5",
        "the edges of the bins, from training's quantiles",
        ("pandas:qcut",),
        _capture_bins,
        suffix="quantile_bins",
    ),
)
