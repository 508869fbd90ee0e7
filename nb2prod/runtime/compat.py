"""What newer versions of Python have: a Bento is served by the one that its notebook ran with, 3.10 or later.

The server's own process imports this, and no pandas.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import sys
from types import TracebackType
from typing import Any

UTC = dt.timezone.utc

_OLDEST = sys.version_info < (3, 11)
_MICROSECONDS = 6


class _Timeout:
    """`asyncio.timeout` for Python 3.10: cancels what runs in its block, and raises `TimeoutError` then."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._over = seconds, False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task: asyncio.Task[Any] = task
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._expire)

    def _expire(self) -> None:
        self._over = True
        self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._over and kind is asyncio.CancelledError:
            raise TimeoutError from error


timeout = _Timeout if _OLDEST else asyncio.timeout


def moment_of(text: str) -> dt.datetime:
    """The date-time of an ISO 8601 text, its fraction cut to microseconds.

    Raises `ValueError` if there is no such day or time. `datetime.fromisoformat` of Python 3.10 knows no `Z`, and fractions of three or six digits only.
    """
    return _moment_of(text) if _OLDEST else dt.datetime.fromisoformat(text)


def _moment_of(text: str) -> dt.datetime:
    head, dot, tail = text.replace("Z", "+00:00").partition(".")
    if dot:
        digits = "".join(itertools.takewhile(str.isdigit, tail))
        text = f"{head}.{digits[:_MICROSECONDS].ljust(_MICROSECONDS, '0')}{tail[len(digits) :]}"
    else:
        text = head
    return dt.datetime.fromisoformat(text)
