"""The command line: `nb2prod check`, `build`, `serve`, `parity` and the others."""

from __future__ import annotations

from nb2prod.cli.app import main

__all__ = ["main"]
