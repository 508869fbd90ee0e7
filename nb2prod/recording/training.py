"""What one fit of a model to a target was given, as the recording knows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Training:
    """Numbers of lineages: `rows` of the features and the target, `beside` of anything else that was given (a set to stop early by)."""

    rows: tuple[int, ...]
    beside: tuple[int, ...]
