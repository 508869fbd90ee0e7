"""From the paths that a browser names to files: only what lies below the server's root folder."""

from __future__ import annotations

from pathlib import Path

from jupyter_core.paths import is_hidden
from tornado.web import HTTPError


def confined(root: Path, path: str, *, hidden: bool) -> Path:
    """The file of this path below `root`, links followed; it need not exist.

    Raises `HTTPError` 404 for what lies outside of the root, or is hidden while hidden files are not served.
    """
    try:
        target = (root / path.strip("/")).resolve()
    except (OSError, ValueError) as error:
        raise HTTPError(404, f"{path} is not a path") from error
    if not target.is_relative_to(root) or target == root:
        raise HTTPError(404, f"{path} is not below the folder that this server shows")
    if not hidden and is_hidden(str(target), str(root)):
        raise HTTPError(404, f"{path} is hidden, and this server does not serve hidden files")
    return target


def shown(root: Path, file: Path) -> str | None:
    """A file's path as the browser knows it; None where it is not below the root."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else None
