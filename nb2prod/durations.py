"""Durations: as they are written, and those of the stages of a notebook's builds, so that the next one can say what to expect."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from nb2prod import home
from nb2prod.errors import InputError

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_FILE = "durations.json"
_MOST = 200
"""Names that are remembered; the oldest are forgotten."""


def parse_duration(text: str, what: str) -> float:
    """The seconds of `90s`, `10m`, `2h` or `1d`; raises `InputError`, which names `what`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{what} {text} is no duration", "For example 90s, 10m, 2h or 1d.")
    return float(found[1]) * _UNITS[found[2]]


def last(name: str) -> dict[str, float]:
    """Seconds of each stage of the last build of this name; empty where there was none that is remembered."""
    found = _read().get(name, {})
    return {stage: float(seconds) for stage, seconds in found.items()}


def keep(name: str, seconds: Mapping[str, float]) -> None:
    """Remember these; a disk that refuses is no reason to fail a build."""
    known = _read()
    known.pop(name, None)
    known[name] = {stage: round(value, 1) for stage, value in seconds.items()}
    with contextlib.suppress(OSError):
        folder = home.home()
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".durations-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(dict(list(known.items())[-_MOST:]), file)
        Path(temporary).replace(folder / _FILE)


def _read() -> dict[str, dict[str, float]]:
    try:
        document = json.loads((home.home() / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): v for k, v in document.items() if isinstance(v, dict)} if isinstance(document, dict) else {}
