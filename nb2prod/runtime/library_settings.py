"""What the notebook had set on its libraries, set when it is served.

Settings come by library, as the recorder read them: ``{"pandas": {"mode.copy_on_write": true}, "numpy": {"invalid": "raise"}}``. Some
hold for the process, others for a thread or a context: those are set around each run.
"""

from __future__ import annotations

import contextlib
import decimal
import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Settings = Mapping[str, Mapping[str, Any]]


def set_for_process(settings: Settings) -> None:
    """Set what holds for the whole process; a setting that this version of its library does not know is left out."""
    for library, values in settings.items():
        setter = _OF_PROCESS.get(library)
        if setter is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of options that are going
            module = importlib.import_module(library)
            for name, value in values.items():
                setter(module, name, value)


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


def _set_pandas(pandas: Any, name: str, value: Any) -> None:
    with contextlib.suppress(KeyError):  # pandas' OptionError is one
        pandas.set_option(name, value)


def _set_torch(torch: Any, name: str, value: Any) -> None:
    if name == "default_dtype":
        torch.set_default_dtype(getattr(torch, value))


def _set_keras(keras: Any, name: str, value: Any) -> None:
    if name == "floatx":
        keras.backend.set_floatx(value)


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


_OF_PROCESS: dict[str, Callable[[Any, str, Any], None]] = {
    "pandas": _set_pandas,
    "torch": _set_torch,
    "keras": _set_keras,
}
_OF_CONTEXT: dict[str, Callable[[Any, Mapping[str, Any]], contextlib.AbstractContextManager[Any]]] = {
    "sklearn": _sklearn,
    "numpy": _numpy,
    "decimal": _decimal,
}
