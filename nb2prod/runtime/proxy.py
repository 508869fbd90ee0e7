"""``captured``: the values that the notebook computed in training, under their names.

``captured.age_median`` is a value, ``captured.label_encoder[c]`` one of several by key, ``captured.step.next()`` the
next one in order within a request. Plain containers, arrays and tables are handed out as copies, so that code that
changes them can't reach a later request; fitted objects are shared, and so is what the code only looks things up in.
"""

from __future__ import annotations

import contextlib
import contextvars
import copy
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import artifacts, library_settings, manifest

Giver = Callable[[], Any]
_IMMUTABLE = (str, int, float, bool, bytes, type(None), tuple, frozenset, pd.Index, np.generic)
_counters: contextvars.ContextVar[dict[str, int] | None] = contextvars.ContextVar("nb2prod_counters", default=None)


class NotRecorded(KeyError):
    """The notebook's run kept no value under this name or key."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class Captured:
    """Loads the artifacts of one folder, each when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[str, dict[str, Any]] | None = None
        self._settings: library_settings.Settings | None = None
        self._loaded: dict[str, Giver] = {}

    def use(self, folder: Path) -> None:
        """Serve the artifacts of another folder from now on."""
        self._folder = Path(folder)
        self._entries = None
        self._settings = None
        self._loaded = {}

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """One run of the serving path: values kept in order are handed out from the first again."""
        token = _counters.set({})
        try:
            with library_settings.within(self._set()):
                yield
        finally:
            _counters.reset(token)

    def _set(self) -> library_settings.Settings:
        """What the notebook had set on its libraries; for the process it is set when it is first asked for."""
        if self._settings is None:
            found = manifest.settings(self._folder)
            library_settings.set_for_process(found)
            self._settings = found
        return self._settings

    def _load_all(self) -> None:
        for name in self._known():
            self._giver(name)

    def _known(self) -> dict[str, dict[str, Any]]:
        if self._entries is None:
            self._entries = {entry["name"]: entry for entry in manifest.read(self._folder)}
        return self._entries

    def _giver(self, name: str) -> Giver:
        giver = self._loaded.get(name)
        if giver is None:
            entry = self._known()[name]
            value = artifacts.load_entry(self._folder, entry)
            # Exactly these types: looking up in a defaultdict changes it.
            if entry.get("only_looked_up") and type(value) in (dict, list, set) and _flat(value):
                giver = partial(_itself, value)
            else:
                giver = giver_of(ByKey(name, value) if isinstance(value, artifacts.Keyed) else value)
            self._loaded[name] = giver
        return giver

    @contextlib.contextmanager
    def _changed(self, change: Callable[[Any], Any]) -> Iterator[None]:
        """While it lasts, each value (of those kept by key, each) is what ``change`` makes of it."""
        self._load_all()
        before = self._loaded
        self._loaded = {name: _changed(giver, change) for name, giver in before.items()}
        try:
            yield
        finally:
            self._loaded = before

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._loaded and name not in self._known():
            raise NotRecorded(f"the notebook's run kept no value '{name}'")
        return self._giver(name)()

    def __dir__(self) -> list[str]:
        return [*self._known(), *artifacts.RESERVED]


class ByKey(Mapping[Any, Any]):
    """The values kept under one name, by key or in order; read only."""

    def __init__(self, name: str, keyed: artifacts.Keyed) -> None:
        self._name = name
        self._names = keyed.names
        self._givers = {key: giver_of(value) for key, value in keyed.by_key.items()}

    def __getitem__(self, key: Any) -> Any:
        wanted = artifacts.hashable(list(key) if isinstance(key, tuple) and len(self._names) > 1 else [key])
        try:
            return self._givers[wanted]()
        except (KeyError, TypeError):
            raise NotRecorded(self._missing(key)) from None

    def next(self) -> Any:
        """The value of the next occurrence within this request."""
        counters = _counters.get()
        if counters is None:
            raise RuntimeError("captured values in order exist only within captured.request()")
        position = counters.get(self._name, 0)
        counters[self._name] = position + 1
        return self[position]

    def changed(self, change: Callable[[Any], Any]) -> ByKey:
        """The same keys with what ``change`` makes of each value."""
        made = copy.copy(self)
        vars(made)["_givers"] = {key: _changed(giver, change) for key, giver in self._givers.items()}
        return made

    def __iter__(self) -> Iterator[Any]:
        return iter(self._givers)

    def __len__(self) -> int:
        return len(self._givers)

    def _missing(self, key: Any) -> str:
        names = self._names
        if names == ("#",):
            return f"the notebook ran the line of '{self._name}' only {len(self)} times"
        parts = key if isinstance(key, tuple) and len(names) > 1 else (key,)
        where = ", ".join(f"{name}={part!r}" for name, part in zip(names, parts, strict=False))
        return f"the notebook never ran the line of '{self._name}' for {where}"


def giver_of(value: Any) -> Giver:
    """Gives the value to user code: a copy each time if user code could change it in place.

    What has to be copied is settled here, once, and not at each of many thousand requests.
    """
    if isinstance(value, _IMMUTABLE) and not (isinstance(value, tuple) and not _flat(value)):
        return lambda: value
    if isinstance(value, (pd.DataFrame, pd.Series)):
        # Shallow: pandas copies on write. Columns of objects share their cells.
        deep = int(pd.__version__.partition(".")[0]) < 3
        return lambda: value.copy(deep=deep)
    if isinstance(value, np.ndarray):
        return value.copy
    if isinstance(value, (list, dict, set, tuple)):
        return (lambda: copy.copy(value)) if _flat(value) else (lambda: copy.deepcopy(value))
    return lambda: value


def _changed(giver: Giver, change: Callable[[Any], Any]) -> Giver:
    value = giver()
    made = value.changed(change) if isinstance(value, ByKey) else change(value)
    return giver if made is value else partial(_itself, made)


def _itself(value: Any) -> Any:
    return value


def _flat(value: Any) -> bool:
    """Whether a shallow copy is enough, for all it holds can't be changed."""
    members = value.values() if isinstance(value, dict) else value
    return all(type(member) in _ATOMS or isinstance(member, _SCALARS) for member in members)


_ATOMS = frozenset({str, int, float, bool, bytes, type(None), complex})
_SCALARS = (np.number, np.bool_, np.datetime64, np.timedelta64, pd.Timestamp, pd.Timedelta)
