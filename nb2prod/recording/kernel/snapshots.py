"""Copies of values as they were when the notebook read them, written to files at that moment."""

from __future__ import annotations

import hashlib
import os
import pickle
import pickletools
import sys
import types
import weakref
from collections.abc import Callable
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

from .lineage import Kinds
from .polars_tables import mark_of

INLINE = (bool, int, float, str, type(None))
CONTAINERS = (list, dict, tuple, set, frozenset)
MAX_TEXT = 120


class Snapshots:
    """Writes values to numbered files in `folder`; the same unchanged object is written once.

    `original` gives the function without hooks that a function of the notebook was, or None for any other; `states_of` the states of the
    notebook's functions and classes, by name.
    """

    def __init__(
        self,
        folder: str,
        original: Callable[[types.FunctionType], types.FunctionType | None] = lambda _: None,
        states_of: Callable[[set[str]], dict[str, int]] = lambda _: {},
    ) -> None:
        self.folder = folder
        self._original = original
        self._states_of = states_of
        self._written: dict[tuple[int, bytes], int] = {}
        self.count = 0
        self.entries: dict[int, dict[str, Any]] = {}
        self._seen: dict[int, tuple[Any, Any, int]] = {}
        os.makedirs(folder, exist_ok=True)

    def take(self, value: Any) -> int:
        """Snapshot `value`; return its number. What cannot be pickled is noted with the reason."""
        mark = fingerprint(value)
        known = self._seen.get(id(value))
        if known is not None and known[1] == mark and (known[0] is None or known[0]() is value) and mark is not None:
            return known[2]
        self.count += 1  # before anything is written: what it refers to may be kept in the meantime
        number = self.count
        entry: dict[str, Any] = {"type": type_name(value), "text": _short(value)}
        if isinstance(value, INLINE):
            entry["value"] = value
        try:
            self._write(number, value)
        except Exception as problem:  # any class may refuse to be pickled in any way; said when the value is needed
            entry["unsaved"] = f"{type(problem).__name__}: {problem}"[:300]
        else:
            if isinstance(value, CONTAINERS) and (same := self._same(number, value)) != number:
                return same
            if names := main_names(self.path(number), value):
                entry["states"] = self._states_of(names)
        self.entries[number] = entry
        try:
            ref: Any = weakref.ref(value)
        except TypeError:
            ref = None
        if ref is not None or isinstance(value, INLINE):
            self._seen[id(value)] = (ref, mark, number)
        return number

    def keep(self, value: Any) -> int:
        """Snapshot what the notebook may mean by its prediction; a run that keeps nothing else keeps this."""
        return self.take(value)

    def _same(self, number: int, value: Any) -> int:
        """The number of an equal snapshot of this list or dict, in place of the one just written: no weak reference tells that it is unchanged."""
        with open(self.path(number), "rb") as stream:
            digest = hashlib.sha256(stream.read()).digest()
        known = self._written.setdefault((id(value), digest), number)
        if known != number:
            os.remove(self.path(number))
        return known

    def path(self, number: int) -> str:
        """The file of snapshot `number`."""
        return os.path.join(self.folder, f"{number}.pkl")

    def load(self, number: int) -> Any:
        """Read a snapshot back."""
        with open(self.path(number), "rb") as stream:
            return pickle.load(stream)

    def _write(self, number: int, value: Any) -> None:
        target = self.path(number)
        temporary = target + ".part"
        try:
            with open(temporary, "wb") as stream:
                pickle.Pickler(stream, protocol=5).dump(value)
        except Exception:
            cloudpickle = _cloudpickle()
            if cloudpickle is None:
                raise
            with open(temporary, "wb") as stream:
                _by_value(cloudpickle, self._original)(stream, protocol=5).dump(value)
        os.replace(temporary, target)


def _by_value(cloudpickle: Any, original: Callable[[types.FunctionType], types.FunctionType | None]) -> Any:
    """A pickler that writes the notebook's functions as they were written."""

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        def reducer_override(self, obj: Any) -> Any:
            plain = original(obj) if isinstance(obj, types.FunctionType) else None
            return super().reducer_override(obj if plain is None else plain)

    return Pickler


def _cloudpickle() -> Any:
    try:
        import cloudpickle
    except ImportError:
        return _lent("cloudpickle")
    return cloudpickle


def main_names(path: str, value: Any = None) -> set[str]:
    """The names of the notebook's own classes and functions that a snapshot refers to (`value`, where it is at hand)."""
    found: set[str] = set()
    if isinstance(value, INLINE) or Kinds.pandas(value) or Kinds.array(value) or Kinds.sparse(value):
        return found
    with open(path, "rb") as stream:
        data = stream.read()
    if b"__main__" not in data:
        return found
    strings: list[str] = []
    for opcode, argument, _ in pickletools.genops(data):
        if opcode.name == "GLOBAL" and isinstance(argument, str):
            module, _, name = argument.partition(" ")
            if module == "__main__":
                found.add(name.split(".")[0])
        elif isinstance(argument, str):
            strings.append(argument)
    # A memoised "__main__" is written once and fetched again by number: every name that stands in the file counts.
    if "__main__" in strings:
        found.update(s.split(".")[0] for s in strings if s.split(".")[0].isidentifier())
    return found


LENT: str | None = None
"""A folder of packages from which a pickler may be taken where the kernel has none; its other packages stay unseen."""


def _lent(name: str) -> Any:
    spec = PathFinder.find_spec(name, [LENT]) if LENT is not None else None
    if spec is None or spec.loader is None:
        return None
    # Known by its name from now on: what it wrote asks for it when it is read.
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def type_name(value: Any) -> str:
    """The full name of a value's type."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _short(value: Any) -> str:
    if (
        isinstance(value, INLINE)
        or (type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0)
        or (isinstance(value, (list, tuple, set, dict)) and len(value) <= 40)
    ):
        # A number of numpy's is shown as the number that it is.
        text = repr(value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value)
    elif hasattr(value, "shape"):
        text = f"{type(value).__name__} of shape {tuple(value.shape)}"
    else:
        text = type(value).__name__
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def fingerprint(value: Any, depth: int = 0) -> Any:
    """A cheap mark that changes when the value does: identity, shape and sampled cells; None where it can't be told."""
    if isinstance(value, (bool, int, float, str, bytes, type(None))):
        return (type(value), value)
    if Kinds.frame(value):
        return _frame_mark(value)
    if Kinds.pandas(value):
        return (
            id(value),
            len(value),
            id(getattr(value, "name", None)),
            _array_mark(getattr(value, "_values", None)),
            _index_mark(value),
        )
    if Kinds.polars(value):
        return mark_of(value)
    if Kinds.array(value):
        return _array_mark(value)
    if Kinds.sparse(value):
        return (value.shape, value.nnz, _array_mark(getattr(value, "data", None)))
    if depth > 3:
        return id(value)
    if isinstance(value, (list, tuple)):
        return (
            type(value),
            len(value),
            tuple(fingerprint(v, depth + 1) for v in (value[:20] if len(value) > 40 else value)),
        )
    if isinstance(value, dict):
        return (len(value), tuple((str(k), fingerprint(v, depth + 1)) for k, v in list(value.items())[:40]))
    state = getattr(value, "__dict__", None)
    if state is None or depth > 2:
        return None if depth == 0 else id(value)
    if type(value).__module__.split(".")[0] in ("xgboost", "lightgbm", "catboost", "torch", "tensorflow", "keras"):
        return None
    return (id(value), tuple((k, fingerprint(v, depth + 1)) for k, v in list(state.items())[:60]))


def _index_mark(value: Any) -> Any:
    index = getattr(value, "index", None)
    return id(getattr(index, "_id", None))


def _frame_mark(value: Any) -> Any:
    blocks = getattr(getattr(value, "_mgr", None), "blocks", ())
    parts = tuple((id(b.values), tuple(b.mgr_locs.as_array[:50].tolist()), _array_mark(b.values)) for b in blocks)
    return (value.shape, tuple(map(str, value.columns[:400])), _index_mark(value), parts)


def _array_mark(values: Any) -> Any:
    np = sys.modules.get("numpy")
    if values is None or np is None:
        return id(values)
    if not isinstance(values, np.ndarray):
        inner = getattr(values, "_pa_array", None)
        if inner is not None:
            return (id(inner), len(values))
        for name in ("_codes", "_ndarray", "_data"):
            part = getattr(values, name, None)
            if isinstance(part, np.ndarray):
                return (id(values), _array_mark(part))
        return (id(values), len(values) if hasattr(values, "__len__") else 0)
    shape, size = values.shape, values.size
    if size == 0:
        return (shape, str(values.dtype))
    flat = values.ravel(order="K") if values.flags.c_contiguous or values.flags.f_contiguous else values.flat[:256]
    sample = flat if flat.size <= 256 else flat[:: max(flat.size // 128, 1)]
    data = tuple(map(id, sample.tolist())) if values.dtype == object else sample.tobytes()
    return (shape, str(values.dtype), values.__array_interface__["data"][0], hash(data))
