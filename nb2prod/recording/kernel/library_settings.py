"""What the notebook has set on its libraries: the settings that differ from their defaults and decide what code computes."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

Settings = dict[str, dict[str, Any]]
"""By library (the name it is imported under), each setting's value as JSON has it."""

_SHOWING = frozenset({"display", "io", "plotting", "styler"})
"""Groups of pandas' options that decide how something is shown, or read from files."""
_DIAGRAMS = frozenset({"display", "print_changed_only"})
_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


def differing() -> Settings:
    """The settings of the imported libraries that are not their defaults."""
    found: Settings = {}
    for library, read in _READERS.items():
        module = sys.modules.get(library)
        if module is None:
            continue
        with contextlib.suppress(
            Exception
        ):  # another version keeps them elsewhere; the replay shows whether they mattered
            values = {name: value for name, value in read(module) if _as_json(value)}
            if values:
                found[library] = values
    return found


def _as_json(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _of_pandas(pandas: Any) -> Iterator[tuple[str, Any]]:
    config = pandas._config.config
    # A default that comes from a variable of this process' environment is none elsewhere.
    told_from_outside = any(name.startswith("PANDAS_") for name in os.environ)
    for name, option in list(config._registered_options.items()):
        if name.partition(".")[0] in _SHOWING:
            continue
        # `pandas.get_option` warns of those that are going.
        group, last = config._get_root(name)
        if group[last] != option.defval or told_from_outside:
            yield name, group[last]


def _of_sklearn(sklearn: Any) -> Iterator[tuple[str, Any]]:
    default = sklearn._config._global_config
    for name, value in sklearn.get_config().items():
        if name not in _DIAGRAMS and value != default.get(name):
            yield name, value


def _of_numpy(numpy: Any) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in numpy.geterr().items() if value != _ERRORS.get(name))


def _of_decimal(decimal: Any) -> Iterator[tuple[str, Any]]:
    now, default = decimal.getcontext(), decimal.DefaultContext
    return ((name, getattr(now, name)) for name in ("prec", "rounding") if getattr(now, name) != getattr(default, name))


def _of_torch(torch: Any) -> Iterator[tuple[str, Any]]:
    if torch.get_default_dtype() != torch.float32:
        yield "default_dtype", str(torch.get_default_dtype()).partition(".")[2]


def _of_keras(keras: Any) -> Iterator[tuple[str, Any]]:
    # Which one computes is chosen as Keras is imported.
    yield "backend", keras.backend.backend()
    if keras.backend.floatx() != "float32":
        yield "floatx", keras.backend.floatx()


_READERS: dict[str, Callable[[Any], Iterator[tuple[str, Any]]]] = {
    "pandas": _of_pandas,
    "sklearn": _of_sklearn,
    "numpy": _of_numpy,
    "decimal": _of_decimal,
    "torch": _of_torch,
    "keras": _of_keras,
}
