"""What git says of a folder, or of its settings; None where there is no git, or no answer."""

from __future__ import annotations

import subprocess
from pathlib import Path


def ask(*arguments: str, folder: Path | None = None, seconds: float = 10) -> str | None:
    """What `git` with these arguments answers within so many seconds, without the blanks around it; in this folder, else in the current one."""
    place = [] if folder is None else ["-C", str(folder)]
    try:
        done = subprocess.run(
            ["git", *place, *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def setting(key: str) -> str | None:
    """A setting that applies in the current folder, as `user.email`; None where it is not set."""
    return ask("config", "--get", key, seconds=5) or None
