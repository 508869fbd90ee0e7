"""What the notebook had set on its libraries, set when it is served.

Settings come by library, as the recorder read them: ``{"pandas": {"mode.copy_on_write": true}, "numpy": {"invalid": "raise"}}``. Some
hold for the process, others for a thread or a context: those are set around each run.
"""

from __future__ import annotations

import contextlib
import decimal
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd

Settings = Mapping[str, Mapping[str, Any]]


def set_for_process(settings: Settings) -> None:
    """Set what holds for the whole process; a setting that this version of its library does not know is left out."""
    if "backend" in settings.get("keras", {}):
        os.environ["KERAS_BACKEND"] = settings["keras"]["backend"]  # read as Keras is imported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of options that are going
        for name, value in settings.get("pandas", {}).items():
            with contextlib.suppress(KeyError):  # pandas' OptionError is one
                pd.set_option(name, value)


@contextlib.contextmanager
def within(settings: Settings) -> Iterator[None]:
    """Set what holds for a thread or a context, for one run of the serving path."""
    if not settings:
        yield
        return
    with contextlib.ExitStack() as stack:
        for library, values in settings.items():
            module = sys.modules.get(library)  # what nothing has imported decides nothing
            if module is not None and library in _OF_CONTEXT:
                stack.enter_context(_OF_CONTEXT[library](module, values))
        yield


def _torch(torch: Any, values: Mapping[str, Any]) -> contextlib.AbstractContextManager[Any]:
    if "default_dtype" in values:
        torch.set_default_dtype(getattr(torch, values["default_dtype"]))
    return contextlib.nullcontext()


def _keras(keras: Any, values: Mapping[str, Any]) -> contextlib.AbstractContextManager[Any]:
    if "floatx" in values:
        keras.backend.set_floatx(values["floatx"])
    return contextlib.nullcontext()


def _sklearn(sklearn: Any, values: Mapping[str, Any]) -> contextlib.AbstractContextManager[Any]:
    known = {name: value for name, value in values.items() if name in sklearn.get_config()}
    context: contextlib.AbstractContextManager[Any] = sklearn.config_context(**known)
    return context


def _numpy(numpy: Any, values: Mapping[str, Any]) -> contextlib.AbstractContextManager[Any]:
    context: contextlib.AbstractContextManager[Any] = numpy.errstate(**values)
    return context


def _decimal(module: Any, values: Mapping[str, Any]) -> contextlib.AbstractContextManager[Any]:
    context = decimal.getcontext().copy()
    for name, value in values.items():
        setattr(context, name, value)
    return decimal.localcontext(context)


_OF_CONTEXT: dict[str, Callable[[Any, Mapping[str, Any]], contextlib.AbstractContextManager[Any]]] = {
    "sklearn": _sklearn,
    "numpy": _numpy,
    "decimal": _decimal,
    "torch": _torch,
    "keras": _keras,
}
