"""How much would be downloaded: the sizes of wheels as the package index tells them."""

from __future__ import annotations

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
