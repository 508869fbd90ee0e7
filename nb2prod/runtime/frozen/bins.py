"""`cut` and `qcut` with the edges that training's values gave."""

from typing import Any

import pandas as pd

from .packing import State, operation, unpack


def _cut(state: State, x: Any, options: dict[str, Any]) -> Any:
    edges = unpack(state["edges"])
    retbins = bool(options.pop("retbins", False))
    given: Any = edges if state["kind"] == "index" else edges.to_numpy()
    out, bins = pd.cut(x, given, **{"retbins": True, **options})
    if state["codes"] is not None:  # labels=False: integers become floats only where training had a missing value
        same = pd.isna(pd.Series(out)).any() and state["codes"].startswith("int")
        out = out if same else out.astype(state["codes"])
    return (out, bins) if retbins else out


_CUT = ("right", "labels", "retbins", "precision", "include_lowest", "duplicates", "ordered")
_QCUT = ("labels", "retbins", "precision", "duplicates")


@operation
def cut(state: State, x: Any, bins: Any = None, *args: Any, **options: Any) -> Any:
    """`pd.cut` with a number of bins: training's edges. A value outside of them is missing."""
    return _cut(state, x, {**dict(zip(_CUT, args, strict=False)), **options})


@operation
def qcut(state: State, x: Any, q: Any = None, *args: Any, **options: Any) -> Any:
    """`pd.qcut`: training's quantiles as edges. A value outside of them is missing."""
    return _cut(state, x, {**dict(zip(_QCUT, args, strict=False)), **options, "include_lowest": True})
