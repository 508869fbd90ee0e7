"""A second run of a notebook leaves the user's files alone: what it writes goes to a folder of its own, and is read back from there.

Files are met by their names in Python's own `open`, and removed, renamed and connected to (SQLite) likewise; what a compiled library writes by
itself can't be turned aside so. A table that is sent to any other database is not sent.
"""

from __future__ import annotations

import builtins
import io
import os
import shutil
import sqlite3
import sys
import tempfile
from typing import Any

_WRITING = frozenset("wax+")
_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Scratch:
    """Turns aside into `folder` what is written in `guarded` folders, or anywhere but in temporary and hidden ones."""

    def __init__(self, folder: str, guarded: list[str]) -> None:
        self.folder = folder
        self.guarded = tuple(os.path.realpath(place) + os.sep for place in guarded)
        self.moved: dict[str, str] = {}
        self.gone: set[str] = set()
        self._open, self._os_open = io.open, os.open
        self._temporary = os.path.realpath(tempfile.gettempdir()) + os.sep
        self._remove, self._rename = os.remove, os.rename
        os.makedirs(folder, exist_ok=True)

    def install(self) -> None:
        """Meet files from here on."""
        builtins.open = self.open
        io.open = self.open
        os.open = self.open_low
        for name, own in {
            "remove": self.remove,
            "unlink": self.remove,
            "rename": self.rename,
            "replace": self.rename,
        }.items():
            setattr(os, name, own)
        connect: Any = sqlite3.connect

        def connected(database: Any, *args: Any, **kwargs: Any) -> Any:
            return connect(self.place(database, writes=True), *args, **kwargs)

        setattr(sqlite3, "connect", connected)  # noqa: B010 - a typed module
        self._keep_from_databases()

    def place(self, path: Any, *, writes: bool) -> Any:
        """Where this file is for the run: its own copy once it has written it."""
        if not isinstance(path, (str, bytes, os.PathLike)) or os.fspath(path) in (":memory:", b":memory:", ""):
            return path
        full = os.path.realpath(os.fsdecode(path))
        if full in self.moved:
            return self.moved[full]
        if full in self.gone and not writes:
            raise FileNotFoundError(2, "No such file or directory", os.fsdecode(path))
        if not writes or self._is_free(full) or not os.path.isdir(os.path.dirname(full)):
            return path
        copy = os.path.join(self.folder, f"{len(self.moved)}_{os.path.basename(full)}")
        if os.path.isfile(full) and full not in self.gone:
            shutil.copyfile(full, copy)
        self.gone.discard(full)
        self.moved[full] = copy
        return copy

    def open(self, file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        """As Python's."""
        writes = bool(_WRITING & set(str(mode)))
        return self._open(self.place(file, writes=writes), mode, *args, **kwargs)

    def open_low(self, path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        """As `os.open`."""
        known = path if "dir_fd" in kwargs else self.place(path, writes=bool(flags & _FLAGS))
        return self._os_open(known, flags, *args, **kwargs)

    def remove(self, path: Any, *, dir_fd: int | None = None) -> None:
        """As `os.remove`, of the user's files for the run alone."""
        full = os.path.realpath(os.fsdecode(path))
        if dir_fd is not None or (full not in self.moved and self._is_free(full)):
            self._remove(path, dir_fd=dir_fd)
            return
        if full in self.gone or not (full in self.moved or os.path.lexists(full)):
            raise FileNotFoundError(2, "No such file or directory", os.fsdecode(path))
        self.moved.pop(full, None)
        self.gone.add(full)

    def rename(self, source: Any, target: Any, **more: Any) -> None:
        """As `os.rename`, of the user's files for the run alone."""
        ends = [os.path.realpath(os.fsdecode(end)) for end in (source, target)]
        if more or all(end not in self.moved and self._is_free(end) for end in ends):
            self._rename(source, target, **more)
            return
        shutil.copyfile(self.place(source, writes=False), self.place(target, writes=True))
        self.remove(source)

    def _is_free(self, full: str) -> bool:
        """Whether a file is none of the user's results: a temporary one, a device, or in a hidden folder."""
        if full.startswith((os.path.realpath(self.folder) + os.sep, "/dev/", "/proc/")):
            return True
        if full.startswith(self.guarded):
            return False
        return full.startswith(self._temporary) or any(part.startswith(".") for part in full.split(os.sep))

    def _keep_from_databases(self) -> None:
        pd = sys.modules.get("pandas")
        if pd is None:
            return
        send = pd.DataFrame.to_sql

        def to_sql(frame: Any, name: str, con: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(con, sqlite3.Connection):
                return send(frame, name, con, *args, **kwargs)
            return None

        pd.DataFrame.to_sql = to_sql
