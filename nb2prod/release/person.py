"""Who works at this machine, as records of what was decided name them."""

from __future__ import annotations

import getpass
import os


def user() -> str:
    """The user's name, or number where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run as a number that has no name
        return f"user {os.getuid()}"
