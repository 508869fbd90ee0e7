"""What a proof found, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def words(summary: Mapping[str, Any] | None) -> str:
    """The `parity` summary of a release as `proved on 2,601 answers`; says so where it was a sample, or is missing."""
    if not summary:
        return "not proved"
    rows = sum((summary.get("cases") or {}).values())
    if not summary.get("passed"):
        return f"{summary.get('differences', 0):,} of {rows:,} answers differ"
    return f"only a sample proved: {rows:,} answers" if summary.get("sample") else f"proved on {rows:,} answers"
