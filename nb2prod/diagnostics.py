"""A problem in the user's notebook as data: its code, its place, why it matters and what to write instead."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]

_WIDTH = 100
_CODE = "    "
_ORDER: dict[str, int] = {"error": 0, "warning": 1, "info": 2}

TITLES: dict[str, str] = {
    "F1": "a fit in feature code",
    "F2": "a statistic of the whole column",
    "F3": "a fill with a statistic of the whole column",
    "F4": "an encoding that depends on the values present",
    "F5": "bins or ranks computed from the batch",
    "F6": "a value that needs the rows before it",
    "F7": "a group statistic",
    "F8": "the set of rows changes",
    "F9": "the index used as a feature",
    "F10": "a scaling function that looks at the whole batch",
    "F11": "a value that differs from run to run",
    "F12": "the target changes a feature",
    "F13": "a lookup in a table made from training data",
    "F14": "a type that is guessed from the batch",
    "F15": "a value from the future",
    "F16": "an in-place change that pandas 3 does not make",
    "F17": "a mapping without an answer for unseen values",
    "T1": "fitted before the split",
    "T2": "resampled before the split",
    "T3": "the test set scored over and over",
    "T4": "no random_state",
    "T5": "rows shared by train and test",
    "T6": "statistics of the test set used on the test set",
    "T7": "a random split of time-ordered data",
    "P1": "a fit in the predict cell",
    "P2": "feature code that only the predict cell has",
    "P3": "the column order is not declared",
    "N1": "no tags",
    "N2": "no predict cell",
    "N3": "a syntax error",
    "N4": "a cell raised",
    "N5": "no rows behind the prediction",
    "N6": "several raw tables fit",
    "N7": "a captured value can't be saved",
    "N8": "the kernel is not Python",
    "N9": "the kernel is missing or died",
    "N10": "a file on the path can't be served",
    "N11": "the replay differs",
    "N12": "one row in, one row out does not hold",
    "N13": "the target is needed by the features",
    "N14": "a statement depends on the batch",
    "N15": "the prediction can't be told",
    "N16": "looks like a secret",
    "N17": "the forecast differed from the recording",
    "N18": "several predictions to choose from",
}
"""What each code is about, in a few words."""


@dataclass(frozen=True)
class Diagnostic:
    """One problem. `cell` counts all cells of the notebook from 1, `line` the lines of that cell from 1."""

    code: str
    severity: Severity
    message: str
    hint: str
    cell: int | None = None
    line: int | None = None
    source: str = ""
    panel_hint: str = field(default="", compare=False, repr=False)
    """The remedy for who sees the sidebar, where that is another: there are buttons there."""

    @property
    def place(self) -> str:
        """`cell 4, line 2`, `cell 4`, or an empty string."""
        if self.cell is None:
            return ""
        return f"cell {self.cell}" if self.line is None else f"cell {self.cell}, line {self.line}"

    def to_json(self) -> dict[str, Any]:
        """The object used in every JSON document of nb2prod."""
        document = asdict(self)
        del document["panel_hint"]
        return document


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Errors first, then warnings, then information; each in the notebook's order, duplicates dropped."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda item: (_ORDER[item.severity], item.cell or 0, item.line or 0)))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them refuses the notebook."""
    return any(item.severity == "error" for item in diagnostics)


def count(diagnostics: Sequence[Diagnostic]) -> str:
    """`2 errors, 1 warning`; an empty string for none."""
    parts = []
    for severity, noun in (("error", "error"), ("warning", "warning"), ("info", "note")):
        number = sum(item.severity == severity for item in diagnostics)
        if number:
            parts.append(f"{number} {noun}{'' if number == 1 else 's'}")
    return ", ".join(parts)


def render(diagnostics: Iterable[Diagnostic], notebook_name: str) -> str:
    """The diagnostics as plain text for a terminal: where, what, the source line, and the remedy."""
    return "\n\n".join(_render_one(item, notebook_name) for item in ordered(diagnostics))


def _render_one(item: Diagnostic, notebook_name: str) -> str:
    where = f"{notebook_name}, {item.place}" if item.place else notebook_name
    severity = "note" if item.severity == "info" else item.severity
    lines = [f"{severity} {item.code}  {where}"]
    if item.source.strip():
        lines += [f"    | {text}" for text in item.source.strip("\n").splitlines()]
    lines += _wrapped(item.message, "  ", "  ")
    lines += _wrapped(item.hint, "  -> ", "     ")
    return "\n".join(lines)


def _wrapped(text: str, first: str, further: str) -> list[str]:
    """The text's lines, none wider than a terminal; those indented are code, to be copied as they are."""
    lines: list[str] = []
    for line in text.splitlines():
        start = further if lines else first
        if line.startswith(_CODE):
            lines.append(further + line)
            continue
        lines += textwrap.wrap(
            line,
            _WIDTH,
            initial_indent=start,
            subsequent_indent=further,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines
