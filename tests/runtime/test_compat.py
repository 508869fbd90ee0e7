"""What stands in for newer Python's own does what that does."""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2prod.runtime import compat
from nb2prod.runtime.columns import _ISO

needs_newer = pytest.mark.skipif(sys.version_info < (3, 11), reason="there is nothing to compare with")


@needs_newer
@given(st.from_regex(_ISO, fullmatch=True))
def test_an_iso_text_is_the_same_moment_or_none_at_all(text: str) -> None:
    try:
        expected = dt.datetime.fromisoformat(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            compat._moment_of(text)
        return
    made = compat._moment_of(text)
    assert (made, made.utcoffset()) == (expected, expected.utcoffset())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2013-01-31", dt.datetime.fromisoformat("2013-01-31T00:00:00")),
        ("2013-01-31T18:05Z", dt.datetime(2013, 1, 31, 18, 5, tzinfo=compat.UTC)),
        ("2013-01-31 18:05:07.1", dt.datetime.fromisoformat("2013-01-31T18:05:07.100000")),
        ("2013-01-31T18:05:07.123456789+01:30", dt.datetime.fromisoformat("2013-01-31T18:05:07.123456+01:30")),
    ],
)
@pytest.mark.parametrize("read", [compat.moment_of, compat._moment_of])
def test_an_iso_text_is_read(read, text: str, moment: dt.datetime) -> None:
    assert read(text) == moment


@pytest.mark.parametrize("limit", [compat.timeout, compat._Timeout])
def test_a_time_limit_ends_what_takes_longer_and_nothing_else(limit) -> None:
    async def take(seconds: float, allowed: float) -> str:
        async with limit(allowed):
            await asyncio.sleep(seconds)
        return "done"

    async def end_from_outside() -> None:
        task = asyncio.create_task(take(30, 30))
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    async def fail() -> None:
        async with limit(30):
            raise KeyError("its own")

    assert asyncio.run(take(0.0, 30)) == "done"
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(take(30, 0.01))
    with pytest.raises(TimeoutError):
        asyncio.run(take(30, -1))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(end_from_outside())
    with pytest.raises(KeyError, match="its own"):
        asyncio.run(fail())
    assert time.monotonic() - begin < 20
