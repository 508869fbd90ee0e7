"""What fails in a hook of the recorder is kept and told, and the notebook's cell goes on as if nobody watched."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

Hook = TypeVar("Hook", bound=Callable[..., Any])
_MOST_PROBLEMS = 200
_LONGEST = 1500
CALLER = 2
"""How far up from a hook the notebook's own frame stands: the guard is between the two."""


def guarded_statement(otherwise: Any) -> Callable[[Hook], Hook]:
    """A hook that watches a statement; the notebook gets ``otherwise`` where it fails."""

    def guard(hook: Hook) -> Hook:
        @functools.wraps(hook)
        def watch(recorder: Any, *told: Any) -> Any:
            try:
                return hook(recorder, *told)
            except Exception as problem:
                keep(recorder.problems, problem)
                return otherwise

        return watch  # type: ignore[return-value]

    return guard


def guarded_value(hook: Hook) -> Hook:
    """A hook that a value passes through; the notebook gets the value itself where it fails."""

    @functools.wraps(hook)
    def watch(recorder: Any, place: int, value: Any) -> Any:
        try:
            return hook(recorder, place, value)
        except Exception as problem:
            keep(recorder.problems, problem)
            return value

    return watch  # type: ignore[return-value]


def keep(problems: list[str], problem: Exception) -> None:
    """Note what failed, with its last lines; the first few are enough."""
    if len(problems) < _MOST_PROBLEMS:
        try:
            text = "".join(traceback.format_exception(type(problem), problem, problem.__traceback__))
        except Exception:  # an exception of a library that can't even be shown
            text = type(problem).__name__
        problems.append(text[-_LONGEST:])


def name_of(function: Any) -> str:
    """A function's name; empty for what has none, and for objects that answer to any name at all (``polars.col``)."""
    return _text(function, "__name__")


def module_of(function: Any) -> str:
    """The name of the module that a function says it is from, or an empty text."""
    return _text(function, "__module__")


def _text(function: Any, attribute: str) -> str:
    try:
        found = getattr(function, attribute, None)
    except Exception:
        return ""
    return found if isinstance(found, str) else ""
