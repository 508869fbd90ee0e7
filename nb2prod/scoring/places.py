"""Where tables lie: files, folders and globs on this machine, and what fsspec knows by a URL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pyarrow import fs

from nb2prod.errors import EnvironmentProblem, InputError

ENDINGS = (".parquet", ".pq", ".csv", ".tsv", ".arrow", ".arrows", ".feather", ".ipc")
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Place:
    """A path in a filesystem, as pyarrow (`arrow`) and fsspec (`spec`) see it; `local` where it is this machine's."""

    arrow: fs.FileSystem
    spec: Any
    path: str
    local: bool

    def shown(self, path: str) -> str:
        """A path of this filesystem as the user writes it."""
        return path if self.local else str(self.spec.unstrip_protocol(path))


@dataclass(frozen=True)
class InputFile:
    """A file of the table: `name` as the user would write it, `size` in bytes, when it was `modified` (ns, where that is known).

    `folders` are the columns that a partitioned table has in the names of its folders, `name=value`.
    """

    name: str
    path: str
    filesystem: fs.FileSystem
    size: int
    modified: int | None = None
    folders: Mapping[str, str | None] = field(default_factory=dict)


def place(text: str) -> Place:
    """The place of a path or URL. Raises `InputError` for a URL of an unknown kind, `EnvironmentProblem` where a package for it is missing."""
    from fsspec.core import url_to_fs

    try:
        spec, path = url_to_fs(text)
    except ImportError as error:
        raise EnvironmentProblem(f"{text} can't be read: {error}", "Install that package beside nb2prod.") from error
    except ValueError as error:
        raise InputError(f"{text} is no place that is known: {error}") from error
    local = "file" in spec.protocol or spec.protocol == "file"
    arrow = fs.LocalFileSystem() if local else fs.PyFileSystem(fs.FSSpecHandler(spec))
    return Place(arrow, spec, str(Path(path).absolute()) if local else path, local)


def files(tables: Sequence[str]) -> list[InputFile]:
    """All files of these tables, each of them a file, a folder, or a glob, in the order of their names.

    Raises `InputError` where one has none, and as `place` does.
    """
    found: dict[str, InputFile] = {}
    for text in tables:
        at = place(text)
        paths = list(_paths(at))
        if not paths:
            what = "has no file of a table" if at.spec.isdir(at.path) else "is not there"
            raise InputError(
                f"{text} {what}", f"Files of tables end in {', '.join(ENDINGS)}, or in .csv.gz and the like."
            )
        for info in at.arrow.get_file_info(paths):
            name = at.shown(info.path)
            found[name] = InputFile(name, info.path, at.arrow, info.size or 0, info.mtime_ns, _folders(info.path))
    return [found[name] for name in sorted(found)]


def _paths(at: Place) -> Iterator[str]:
    from fsspec.core import has_magic

    there = at.spec.exists(at.path)
    for path in [at.path] if there or not has_magic(at.path) else at.spec.glob(at.path):
        if at.spec.isdir(path):
            yield from (item for item in at.spec.find(path) if _is_table(item[len(path) :]))
        elif at.spec.isfile(path):
            yield path


def _is_table(path: str) -> bool:
    """Whether a file of a folder is one of the table's: what begins with a dot or an underscore is somebody's note."""
    parts = path.strip("/").split("/")
    name = parts[-1].lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    return name.endswith(ENDINGS) and not any(part.startswith(("_", ".")) for part in parts)


def _folders(path: str) -> dict[str, str | None]:
    pairs: Iterable[list[str]] = (part.split("=", 1) for part in path.split("/")[:-1] if "=" in part)
    return {unquote(name): None if value == _NO_VALUE else unquote(value) for name, value in pairs}
