"""Saving objects of the notebook's own classes and functions under the name they have in the Bento.

In the notebook they live in ``__main__``, in the Bento in the generated module ``features``. While something is saved
(and loaded back), ``renamed`` makes them live there already.
"""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

MODULE = "features"


def defined_in_notebook() -> dict[str, Any]:
    """The classes and functions that ``__main__`` holds under a name of its own, by that name."""
    found: dict[int, tuple[str, Any]] = {}
    for name, value in vars(sys.modules["__main__"]).items():
        if not isinstance(value, (type, types.FunctionType)) or value.__module__ != "__main__":
            continue
        # Bound to several names, it has the one it was defined with; a lambda the first it was given.
        if id(value) not in found or name == value.__name__:
            found[id(value)] = (name, value)
    return dict(found.values())


@contextlib.contextmanager
def renamed(module_names: Mapping[str, Any]) -> Iterator[None]:
    """Within the block, each object is the one of that name in module ``features``.

    Args:
        module_names: name in the generated module -> class or function that lives in ``__main__``.
    """
    stub = types.ModuleType(MODULE)
    undo: list[tuple[Any, str, Any]] = []
    shadowed = sys.modules.get(MODULE)
    try:
        for name, value in module_names.items():
            setattr(stub, name, value)
            _rename(value, name, undo)
        sys.modules[MODULE] = stub
        yield
    finally:
        for value, attribute, before in reversed(undo):
            setattr(value, attribute, before)
        if shadowed is None:
            sys.modules.pop(MODULE, None)
        else:
            sys.modules[MODULE] = shadowed


def _rename(value: Any, qualname: str, undo: list[tuple[Any, str, Any]]) -> None:
    changes = {"__module__": MODULE, "__name__": qualname.rpartition(".")[2], "__qualname__": qualname}
    for attribute, after in changes.items():
        undo.append((value, attribute, getattr(value, attribute)))
        setattr(value, attribute, after)
    if not isinstance(value, type):
        return
    for name, member in list(vars(value).items()):
        if isinstance(member, (type, types.FunctionType)) and member.__module__ == "__main__":
            _rename(member, f"{qualname}.{name}", undo)
