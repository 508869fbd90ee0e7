"""What a recorded call was given."""

from __future__ import annotations

from typing import Any

from .guard import name_of
from .lineage import Kinds
from .operation import Operation

FITTING = frozenset({"fit", "fit_transform", "fit_resample", "partial_fit", "train", "fit_predict"})


def arguments(shape: Any, values: dict[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, put together from the values of its sites."""
    args: list[Any] = []
    for kind, what in shape.args:
        if kind == "const":
            args.append(what)
        elif kind == "star":
            args.extend(values.get(what) or ())
        else:
            args.append(values.get(what))
    kwargs: dict[str, Any] = {}
    for name, kind, what in shape.kwargs:
        if kind == "const":
            kwargs[name] = what
        elif kind == "kwstar":
            kwargs.update(values.get(what) or {})
        else:
            kwargs[name] = values.get(what)
    return tuple(args), kwargs


def fitted_to(op: Operation) -> Any:
    """The y that a call fits a model to; for a booster, the data set that holds it."""
    if op.kind != "call":
        return None
    if isinstance(op.func, type) and op.func.__module__.startswith("statsmodels"):
        return op.kwargs.get("endog", op.args[0] if op.args else None)
    if op.name not in FITTING:
        formula = op.args[0] if op.args else op.kwargs.get("formula")
        data = op.kwargs.get("data", op.args[1] if len(op.args) > 1 else None)
        if name_of(op.func) == "from_formula" and isinstance(formula, str) and data is not None:
            name = formula.split("~")[0].strip()
            return data[name] if name in getattr(data, "columns", ()) else None
        return None
    y = op.kwargs.get("y", op.args[1] if len(op.args) > 1 else None)
    if op.name == "train":
        y = op.kwargs.get("dtrain", op.kwargs.get("train_set", y))
    return y if not Kinds.dataset(y) or hasattr(y, "get_label") else None


def places_of(shape: Any, op: Operation) -> list[tuple[str, Any, Any]]:
    """A call's arguments with the sites they come from."""
    if shape is None:
        return []
    placed = [(kind, place, value) for (kind, place), value in zip(shape.args, op.args, strict=False)]
    return placed + [(kind, place, op.kwargs.get(name)) for name, kind, place in shape.kwargs]
