"""How much would be downloaded, as the package index tells it, and how much removing a folder frees."""

from __future__ import annotations

import contextlib
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nb2prod.environments import uv
from nb2prod.environments.uv import Sources
from nb2prod.errors import EnvironmentProblem


def total(pins: Sequence[str], python: Path, sources: Sources) -> int | None:
    """Bytes of the wheels of these pins for this interpreter; None where the index does not tell, or can't be asked."""
    if not pins:
        return 0
    with tempfile.TemporaryDirectory(prefix="nb2prod-sizes-") as scratch:
        asked, target = Path(scratch) / "asked.txt", Path(scratch) / "pylock.toml"
        asked.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        try:
            uv.run(
                [
                    *("pip", "compile", "--quiet", "--no-deps", "--format", "pylock.toml", "--python", str(python)),
                    *(*sources.options(), "--output-file", str(target), str(asked)),
                ],
                purpose="the sizes of packages can't be told",
            )
            found = [_size(item) for item in tomllib.loads(target.read_text(encoding="utf-8"))["packages"]]
        except (EnvironmentProblem, OSError, ValueError, KeyError):
            return None
    known = [size for size in found if size is not None]
    return sum(known) if len(known) == len(found) else None


def _size(package: dict[str, Any]) -> int | None:
    """Of the wheels that fit, uv takes the one for just this platform, which is the largest; without any, the source."""
    files = package.get("wheels") or ([package["sdist"]] if "sdist" in package else [])
    told = [int(file["size"]) for file in files if "size" in file]
    return max(told) if told else None


def freed(folder: Path) -> int:
    """Bytes that are free once this folder is gone; files that another place has too, by a hard link, stay on the disk."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            status = path.lstat()
            total += status.st_size if path.is_file() and status.st_nlink == 1 else 0
    return total
