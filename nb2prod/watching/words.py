"""How numbers of things are said."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """The number with its noun, in the plural where there are several: `1 day`, `2,000 days`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
