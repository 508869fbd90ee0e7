"""A full disk, told from other faults, whichever process met it first."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from nb2prod.errors import EnvironmentProblem, Refused

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""No space on the device; the user's share of it is used up; larger than a file may be."""
_LITTLE = 1 << 16
"""Bytes free on a disk that counts as full."""
_TOLD = re.compile(rf"\[Errno ({'|'.join(map(str, _FULL))})\]")
_FIRST = re.compile(r"\[Errno \d+\] ([^:'\"]+)")


def problem(error: BaseException, folder: Path) -> EnvironmentProblem | None:
    """The problem to report where `error` comes of a disk without room for what is written to `folder`, else None.

    What a process of its own said of its fault counts too. A fault of the notebook's own code is left as it is.
    """
    if isinstance(error, Refused):
        return None
    met: BaseException | None = error
    while met is not None:
        number = met.errno if isinstance(met, OSError) and met.errno in _FULL else _told([str(met)])
        if number is not None:
            return _problem(folder, number)
        # One of ours has said what it came from, in its own words.
        met = None if isinstance(met, EnvironmentProblem) else met.__cause__ or met.__context__
    return _problem(folder, errno.ENOSPC) if _is_full(folder) else None


def reason(error: OSError) -> str:
    """Why, in a few words; of a folder that could not be copied (`shutil.Error` lists every file) the first reason."""
    found = _FIRST.search(str(error))
    return error.strerror or (found[1].strip() if found else str(error))


def _is_full(folder: Path) -> bool:
    """Whether no room is left now. What fails then need not say why: Python itself writes half a compiled module and reads it later."""
    try:
        return shutil.disk_usage(folder).free < _LITTLE
    except OSError:
        return False


def check(said: Iterable[str], folder: Path) -> None:
    """Raise `EnvironmentProblem` where one of these texts, by another process, is of a disk without room."""
    if (number := _told(said)) is not None:
        raise _problem(folder, number)


def _told(said: Iterable[str]) -> int | None:
    return next((int(found[1]) for text in said if (found := _TOLD.search(text))), None)


def _problem(folder: Path, number: int | None) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"the build can't be written to {folder}: {os.strerror(number or errno.ENOSPC)}",
        "Free some room there, or set NB2PROD_HOME to a folder on another disk.",
    )
