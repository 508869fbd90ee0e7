"""The forecast as data, and as the text that `nb2prod check` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nb2prod.diagnostics import Diagnostic, count, has_errors


@dataclass(frozen=True)
class Step:
    """A statement expected on the serving path."""

    cell: int
    line: int
    end_line: int
    source: str
    about_target: bool = False
    """It only makes the target; a request does not need it."""


@dataclass(frozen=True)
class Captured:
    """A value that serving is expected to keep from the run."""

    name: str
    cell: int
    line: int
    reason: str
    source: str = ""
    rule: str = ""
    expression: str = ""
    """The expression whose value is kept, where no variable holds it."""


@dataclass(frozen=True)
class Filter:
    """A line that drops rows, with the class that it is expected to have."""

    cell: int
    line: int
    source: str
    kind: str
    reason: str


@dataclass(frozen=True)
class Place:
    """A variable and where it gets its value."""

    name: str
    cell: int
    line: int


@dataclass(frozen=True)
class Forecast:
    """What a build is expected to serve. Nothing was run: the build's recorded run decides."""

    notebook: str
    sections: Mapping[str, tuple[int, ...]]
    prediction: Place | None
    raw_table: Place | None
    fields: tuple[str, ...]
    """Raw columns that the path mentions; there may be more that are never named."""
    target: tuple[str, ...]
    path: tuple[Step, ...]
    captured: tuple[Captured, ...]
    filters: tuple[Filter, ...]
    diagnostics: tuple[Diagnostic, ...]
    suppressed: tuple[Diagnostic, ...]
    """Warnings that a `# nb2prod: ignore[...]` comment on the line takes away."""

    @property
    def refused(self) -> bool:
        """Whether a build is expected to refuse the notebook."""
        return has_errors(self.diagnostics)

    def to_json(self) -> dict[str, Any]:
        """The document of `nb2prod check --json`."""
        document = asdict(self)
        document["sections"] = {role: list(cells) for role, cells in self.sections.items()}
        return {"forecast": True, **document, "refused": self.refused}

    def verdict(self, *, kernel_works: bool = True) -> str:
        """The last line: what to expect of a build, where its kernel works at all."""
        found = count([item for item in self.diagnostics if item.severity != "info"])
        hidden = f" ({len(self.suppressed)} suppressed by comments)" if self.suppressed else ""
        where = "" if kernel_works else "in the notebook "
        if self.refused:
            return f"Forecast: {found}{hidden}. A build would be refused."
        if found:
            return f"Forecast: {found}{hidden}; nothing {where}stands in the way of a build."
        return f"Forecast: nothing {where}stands in the way of a build{hidden}."

    def text(self) -> str:
        """The forecast for a terminal, without its diagnostics."""
        lines = [f"Forecast for {self.notebook} (nothing was run; the build's recorded run decides)", ""]
        lines += _table([(f"{role}", _cells(cells)) for role, cells in self.sections.items() if cells])
        if self.prediction:
            lines += ["", *_table(self._facts())]
        if self.fields:
            shown = textwrap.wrap(", ".join(self.fields), 90)
            lines += ["", "Fields that the path names (the build finds the others)", *(f"  {text}" for text in shown)]
        steps = [step for step in self.path if not step.about_target]
        if steps:
            lines += ["", "Serving path"]
            lines += _steps(steps)
        if self.captured:
            lines += ["", "Kept from training"]
            rows: list[tuple[str, ...]] = [
                (_short(item.expression or item.name, 40), f"cell {item.cell}, line {item.line}", item.reason)
                for item in self.captured
            ]
            lines += _table(list(rows))
        if self.filters:
            lines += ["", "Filters"]
            lines += _table(
                [
                    (f"cell {f.cell}, line {f.line}", f.kind, f"{_short(f.source, 44)}   {f.reason}")
                    for f in self.filters
                ]
            )
        return "\n".join(lines)

    def _facts(self) -> list[tuple[str, ...]]:
        facts: list[tuple[str, ...]] = []
        if self.prediction:
            place = self.prediction
            facts.append(("prediction", place.name, f"cell {place.cell}, line {place.line}"))
        if self.raw_table:
            place = self.raw_table
            facts.append(("raw table", place.name, f"cell {place.cell}, line {place.line}"))
        if self.target:
            facts.append(("target", ", ".join(self.target), ""))
        return facts


def _cells(numbers: tuple[int, ...]) -> str:
    return f"cell{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows in columns; the last one runs on."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    return [
        "  " + "   ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]


def _steps(steps: list[Step]) -> list[str]:
    lines, cell = [], 0
    for step in steps:
        label = f"cell {step.cell}" if step.cell != cell else ""
        cell = step.cell
        for number, text in enumerate(step.source.splitlines()):
            lines.append(f"  {label if number == 0 else '':<9}{step.line + number:>3}  {text}".rstrip())
    return lines


def _short(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= width else f"{text[: width - 3]}..."
