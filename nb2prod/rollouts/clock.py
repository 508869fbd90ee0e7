"""The clock of staged rollouts: one place, so that a test can let days pass."""

from __future__ import annotations

import time


def seconds_now() -> float:
    """Seconds since 1970. Stages outlive processes and reboots: no monotonic clock does."""
    return time.time()
