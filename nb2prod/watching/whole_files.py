"""Files that somebody else may be reading: a reader sees the old one or the new one, whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from nb2prod import room
from nb2prod.errors import EnvironmentProblem


def write(path: Path, fill: Callable[[Path], object], hint: str) -> None:
    """Have `fill` write the content to a path beside the file, which then takes its place.

    Raises `EnvironmentProblem`, with the hint, where the disk refuses; nothing is left beside the file then.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fill(unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise EnvironmentProblem(f"{path} can't be written: {room.reason(error)}", hint) from error
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text where the user wants it; raises `EnvironmentProblem` where the disk refuses."""
    hint = "Name another file, or free some room there."
    write(path, lambda place: place.write_text(text, encoding="utf-8"), hint)
