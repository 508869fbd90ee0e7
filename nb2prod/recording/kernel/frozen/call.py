"""A call as the recorder sees it, an entry of the table of frozen operations, and what is asked of a library that may not be there."""

import contextlib
import io
import sys
from typing import Any, Callable, Iterator, NamedTuple  # noqa: UP035 - a kernel's Python may be an old one


class NoEntry(Exception):
    """Raised by a capture: this call is not frozen.

    With a `rule` it can't be answered row by row (`why` is a sentence, `remedy` says what to write instead); with an
    empty one there is nothing to keep: it works row by row as it is.
    """

    def __init__(self, rule: str, why: str, remedy: str) -> None:
        super().__init__(why)
        self.rule = rule
        self.why = why
        self.remedy = remedy


def unneeded(why: str) -> NoEntry:
    """The call works row by row as it is: nothing is to be kept, and nothing is wrong with it (an empty rule)."""
    return NoEntry("", why, "")


class Operation(NamedTuple):
    """What to do with a call that was recognised.

    `capture(receiver, args, kwargs, result)` is called after the call and gives the state, plain data or a fitted
    estimator; it raises NoEntry where the call can't be frozen. With `receiver_is_state` the served call is
    `captured.<state>.<op>(first argument)`, else `frozen.<op>(captured.<state>, …)`.
    """

    op: str
    rule: str
    phrase: str
    capture: "Callable[[Any, tuple[Any, ...], dict[str, Any], Any], Any]"
    receiver_is_state: bool = False
    name: str = "state"


class Call(NamedTuple):
    """A call as the recorder sees it; `receiver` is None for a function of a module."""

    func: Any
    receiver: Any
    name: str
    args: "tuple[Any, ...]"
    kwargs: "dict[str, Any]"

    def arg(self, position: int, name: str, default: Any = None) -> Any:
        """The argument at this position or of this name."""
        if len(self.args) > position:
            return self.args[position]
        return self.kwargs.get(name, default)


def library(name: str) -> Any:
    return sys.modules.get(name)


def is_pandas(value: Any, *names: str) -> bool:
    """Whether the value is an instance of one of these pandas classes, if pandas is loaded at all."""
    pandas = library("pandas")
    return pandas is not None and isinstance(value, tuple(getattr(pandas, n) for n in names if hasattr(pandas, n)))


@contextlib.contextmanager
def undisturbed() -> "Iterator[None]":
    """Run the notebook's function once more without a trace: random state, output and warnings as before."""
    import random
    import warnings

    numpy = library("numpy")
    state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy is not None else None
    nowhere = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            random.setstate(state)
            if numpy_state is not None:
                numpy.random.set_state(numpy_state)


def down_the_columns(call: Call) -> bool:
    """Whether a scaling function works down the columns (axis=0), which is what depends on the batch."""
    return bool(call.arg(1, "axis", 0) == 0)


def all_arguments(call: Call) -> "dict[str, Any]":
    """All arguments by name, the defaults included."""
    import inspect

    found = inspect.signature(call.func).bind(*call.args, **call.kwargs)
    found.apply_defaults()
    return dict(found.arguments)


def kind_of(values: Any) -> str:
    """The letter of numpy for the dtype: "M" dates, "i" integers, "f" floats, "O" and others for text."""
    return str(getattr(getattr(values, "dtype", None), "kind", "O"))


def columns_of(result: Any) -> "list[Any]":
    return [result[name] for name in result.columns] if is_pandas(result, "DataFrame") else [result]


class Entry(NamedTuple):
    """One row of the table.

    `of` lists what the entry recognises: functions as "module:name", methods as "Class.name" of pandas, ".name" for
    a method of any object. `depends(call)` says whether this call depends on the batch at all.
    """

    op: str
    rule: str
    phrase: str
    of: "tuple[str, ...]"
    capture: "Callable[[Call, Any], Any]"
    depends: "Callable[[Call], bool]" = lambda call: True
    receiver_is_state: bool = False
    suffix: str = ""
    """How the name of a state of it ends."""
