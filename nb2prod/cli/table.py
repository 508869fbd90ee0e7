"""Plain tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The rows as aligned lines; the last column runs on."""
    if not rows:
        return []
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    return lines


def pairs(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Names and values, indented; those without a value are left out."""
    return [f"  {line}" for line in columns([fact for fact in facts if fact[1]])]
