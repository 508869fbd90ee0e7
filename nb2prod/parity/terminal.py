"""The report in a terminal: the verdict, the kinds of case, and the first differences with their cause."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from nb2prod.parity.report import TITLES, Mismatch, ParityReport

_SHOWN = 5
_STYLES = {"passed": "green", "failed": "bold red", "not run": "dim"}


def render(report: ParityReport, *, report_path: str | None = None) -> RenderableType:
    """Something for rich to print; `report_path` is where the whole report lies."""
    parts: list[RenderableType] = [_verdict(report), _kinds(report), *_said(report)]
    parts += [Text(f"note: {note}", style="yellow") for note in report.notes]
    for number, item in enumerate(report.mismatches[:_SHOWN], start=1):
        parts.append(_mismatch(number, item))
    hidden = report.differences - min(_SHOWN, len(report.mismatches))
    if hidden > 0:
        parts.append(Text(f"... and {hidden:,} more differences", style="dim"))
    if report_path is not None:
        parts.append(Text(f"report: {report_path}"))
    return Group(*parts)


def text(report: ParityReport, *, width: int = 100, report_path: str | None = None) -> str:
    """The same as plain text."""
    console = Console(width=width, no_color=True, highlight=False, force_terminal=False)
    with console.capture() as captured:
        console.print(render(report, report_path=report_path))
    return captured.get()


def _verdict(report: ParityReport) -> Text:
    compared = sum(item.rows for item in report.kinds)
    if report.passed:
        how = "a sample proved" if report.sample else "parity proved"
        words = f"{how}: {compared:,} answers of {report.what} equal the notebook's, in {report.seconds:.1f} s"
        return Text(words, style="bold green")
    return Text(f"parity refused: {report.differences:,} of {compared:,} answers of {report.what} differ", "bold red")


def _kinds(report: ParityReport) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column("kind")
    table.add_column("outcome")
    for name in ("compared", "differ"):
        table.add_column(name, justify="right")
    table.add_column("what must hold")
    for item in report.kinds:
        outcome = Text(item.status, style=_STYLES[item.status])
        table.add_row(item.kind, outcome, f"{item.rows:,}", f"{item.differences:,}", TITLES[item.kind])
    return table


def _said(report: ParityReport) -> list[RenderableType]:
    said = report.summary_text
    parts: list[RenderableType] = [Text(f"not compared: {line}", style="dim") for line in said.left_out]
    return [*parts, Text(said.meaning)] if said.meaning else parts


def _mismatch(number: int, item: Mismatch) -> Text:
    row = "" if item.row is None else f", row {item.row}"
    raw = "" if item.row_id is None else f" (row {item.row_id} of the raw table)"
    lines = [f"{number}. {item.kind}, {item.case}{row}{raw}"]
    lines.append(f"   {item.output or 'prediction'}: expected {_value(item.expected)}, got {_value(item.actual)}")
    lines.append(f"   {item.reason}")
    if item.cause is not None:
        lines.append(f"   {item.cause.text}")
        if item.cause.source:
            line = f", line {item.cause.line}" if item.cause.line else ""
            cell = f"cell {item.cause.cell}{line}" if item.cause.cell else "features.py"
            rule = f"  [{item.cause.rule}]" if item.cause.rule else ""
            lines.append(f"   {cell}: {item.cause.source}{rule}")
    return Text("\n".join(lines))


def _value(value: Any) -> str:
    words = json.dumps(value, ensure_ascii=False)
    return words if len(words) <= 80 else f"{words[:77]}..."
