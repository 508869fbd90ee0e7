"""Markdown that holds a stranger's words: escaped text, code spans and tables."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence


def escape(text: object) -> str:
    """Text that Markdown shows as it is, on one line and safe in a table."""
    line = " ".join(str(text).split())
    return re.sub(r"([\\`*_{}\[\]#|~])", r"\\\1", html.escape(line, quote=False))


def code(text: object) -> str:
    """Text as a code span that survives backticks and tables."""
    line = " ".join(str(text).split()).replace("|", "\\|")
    if not line:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the cells must be escaped already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
