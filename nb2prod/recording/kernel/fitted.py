"""Which rows a model was fitted to: a side table from models to the fits that they have been through, told by identity.

A model that a search or a pipeline holds was fitted by the fit of its holder, so what an object holds counts as it. Kept by weak reference;
nothing is written to the user's objects.
"""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from .lineage import Lineage, Rows
from .operation import Operation

DEPTH = 4
MOST = 300
"""Parts of one object that are looked at: a forest holds hundreds of trees, none of which is asked alone."""
ASKED = ("predict", "transform", "predict_proba", "decision_function")


class Fitted:
    """Numbers the models that are seen, and the fits to a target that each has been through.

    `trainings`: for each fit the serials of the lineages that it was given, as `rows` (features and target) and `beside` them.
    """

    def __init__(self, rows: Rows, serial: Callable[[Lineage | None], int | None]) -> None:
        self.trainings: list[dict[str, list[int | None]]] = []
        self._rows, self._serial = rows, serial
        self._models: dict[int, tuple[Any, int, list[int]]] = {}
        self._count = 0

    def note(self, op: Operation, y: Any) -> int | None:
        """Note a call that fits a model to `y` (None: a call that does not); the fit's number."""
        if y is None:
            return None
        number = len(self.trainings)
        rows: dict[str, list[int | None]] = {"rows": [], "beside": []}
        for value, learned in _given(op, y):
            lineage = self._rows.of(value)
            if lineage is not None:
                rows["rows" if learned else "beside"].append(self._serial(lineage))
        self.trainings.append(rows)
        for model in (op.receiver, op.result):
            if self._rows.of(model) is None and _may_answer(model):
                self._fit(model, number, anew=_forgets(op))
        return number

    def of(self, model: Any) -> dict[str, Any]:
        """What an event says of a model: the number of this object and those of the fits that it, or anything that it holds, has been through.

        `instance` is None where that can't be told.
        """
        found: set[int] = set()
        for part in _parts(model):
            entry = self._known(part)
            found |= set(entry[2]) if entry is not None else set()
        own = self._entry(model)
        return {"instance": None if own is None else own[1], "trainings": sorted(found)}

    def _fit(self, model: Any, number: int, *, anew: bool) -> None:
        for part in _parts(model):
            entry = self._entry(part)
            if entry is not None and number not in entry[2] and (part is model or _is_fitted(part)):
                if anew:
                    entry[2].clear()
                entry[2].append(number)

    def _known(self, model: Any) -> tuple[Any, int, list[int]] | None:
        entry = self._models.get(id(model))
        return entry if entry is not None and entry[0]() is model else None

    def _entry(self, model: Any) -> tuple[Any, int, list[int]] | None:
        known = self._known(model)
        if known is None:
            key = id(model)
            try:
                ref = weakref.ref(model, lambda _, key=key, table=self._models: table.pop(key, None))  # type: ignore[misc]
            except TypeError:
                return None
            self._count += 1
            known = self._models[key] = (ref, self._count, [])
        return known


def _given(op: Operation, y: Any) -> Iterator[tuple[Any, bool]]:
    """What a call that fits was given: each value, and whether it is learned from (features and target) or stands beside that."""
    features = op.kwargs.get("X", op.kwargs.get("exog", next((a for a in op.args if a is not y), None)))
    waiting = [*op.args, *op.kwargs.values()]
    yield y, True
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, (list, tuple)) and len(value) <= 20 and value is not y and value is not features:
            waiting.extend(value)  # `eval_set=[(X_val, y_val)]`
        elif value is not y:
            yield value, value is features


def _may_answer(model: Any) -> bool:
    """Whether it may be a model, or hold one, as what Keras' `fit` returns does."""
    return not isinstance(model, (type, types.ModuleType)) and bool(getattr(model, "__dict__", None))


def _forgets(op: Operation) -> bool:
    """Whether the fit begins anew, as scikit-learn's contract has it; other libraries, and these calls, go on from what was learned before."""
    going_on = getattr(op.receiver, "warm_start", False) or {"xgb_model", "init_model"} & set(op.kwargs)
    return hasattr(op.receiver, "get_params") and op.name != "partial_fit" and not going_on


def _parts(model: Any) -> Iterator[Any]:
    """The object and the models that it holds, in its attributes and in lists and dicts there."""
    waiting, seen = [(model, 0)], {id(model)}
    yield model
    while waiting:
        value, depth = waiting.pop()
        for part in _held(value):
            if id(part) in seen or len(seen) > MOST:
                continue
            seen.add(id(part))
            plain = isinstance(part, (list, tuple, dict))
            if not plain and any(callable(getattr(type(part), name, None)) for name in ASKED):
                yield part
                plain = True
            if (plain or value is model) and depth < DEPTH:
                waiting.append((part, depth + 1))


def _held(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        members = list(value[:MOST])
    elif isinstance(value, dict):
        members = list(value.values())[:MOST]
    else:
        members = list((getattr(value, "__dict__", None) or {}).values())[:MOST]
    return [m for m in members if isinstance(m, (list, tuple, dict)) or getattr(m, "__dict__", None)]


def _is_fitted(part: Any) -> bool:
    """Whether a part has come to hold more than its own parameters; a search keeps the estimator that it copies, and never fits it."""
    state = getattr(part, "__dict__", None) or {}
    if not hasattr(part, "get_params"):
        return True
    try:
        parameters = part.get_params(deep=False)
    except Exception:
        return True
    return any(name not in parameters and not name.startswith("__") for name in state)
