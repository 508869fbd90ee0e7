"""Finds the frozen operation of a call."""

import re
from typing import Any

from ..guard import name_of
from .call import Call, Entry, Operation, library
from .naming import telling
from .notes import LOGS

SERVED_BY = {"fit_transform": "transform", "fit_predict": "predict"}


_BY_NAME: "dict[str, list[tuple[str, Entry]]]" = {}


def register(*entries: Entry) -> "tuple[Entry, ...]":
    """Enter these operations in the table: calls are recognised by them from now on."""
    for entry in entries:
        for of in entry.of:
            _BY_NAME.setdefault(re.split(r"[:.]", of)[-1], []).append((of, entry))
    return entries


def own_name(call: Call) -> str:
    """The function's own name, whatever the notebook imported it as."""
    return call.name if call.receiver is not None else name_of(call.func) or call.name


def _recognised(of: str, call: Call) -> bool:
    if ":" in of:
        module, name = of.split(":")
        return call.receiver is None and call.func is not None and getattr(library(module), name, None) is call.func
    owner = of.partition(".")[0]
    if not owner:
        return call.receiver is not None
    return any(
        base.__name__ == owner and (base.__module__ or "").partition(".")[0] == "pandas"
        for base in type(call.receiver).__mro__
    )


def of_function(func: Any) -> Any:
    """The entry of a function handed to `apply`, if it has one."""
    call = Call(func, None, name_of(func), (), {})
    return next((entry for of, entry in _BY_NAME.get(call.name, ()) if ":" in of and _recognised(of, call)), None)


def as_call(func: Any, receiver: Any, name: str, args: Any, kwargs: Any) -> Call:
    if type(receiver).__name__ == "module":
        receiver = None
    return Call(func, receiver, name, tuple(args), dict(kwargs))


def match(func: Any, receiver: Any, name: str, args: Any, kwargs: Any) -> "Operation | None":
    """The operation to serve this call by, or None if the call does not depend on the batch or has no row-wise form.

    `receiver` is the object before the dot, None (or the module) for a function of a module. Never raises.
    """
    try:
        if LOGS:  # a function of the notebook that is being run once more
            return None
        call = as_call(func, receiver, name, args, kwargs)
        for of, entry in _BY_NAME.get(own_name(call), ()):
            if _recognised(of, call) and entry.depends(call):
                return _operation(entry, call)
    except Exception:  # the notebook must run on, whatever odd object was called
        return None
    return None


def _operation(entry: Entry, call: Call) -> Operation:
    def capture(receiver: Any, args: Any, kwargs: Any, result: Any) -> Any:
        made = entry.capture(as_call(call.func, receiver, call.name, args, kwargs), result)
        # a tuple is immutable: the runtime hands it out as it is, without a copy for each request
        return ("frozen", made) if isinstance(made, dict) else made

    return Operation(entry.op, entry.rule, entry.phrase, capture, entry.receiver_is_state, telling(entry, call))
