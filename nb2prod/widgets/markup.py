"""The widgets' text as HTML, in JupyterLab's own colours where there are any. Everything from outside is escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

_GREY = "color: var(--jp-ui-font-color2, #555)"
_COLOURS = {
    "serving": "var(--jp-success-color1, #388e3c)",
    "passed": "var(--jp-success-color1, #388e3c)",
    "failed": "var(--jp-error-color1, #d32f2f)",
    "gone": "var(--jp-error-color1, #d32f2f)",
    "stopped": "var(--jp-ui-font-color2, #555)",
}
_SPARK_WIDTH, _SPARK_HEIGHT = 56, 16
_WAITING = "var(--jp-warn-color1, #b35900)"


def escaped(value: Any) -> str:
    """The value as text of a page."""
    return html.escape(str(value), quote=True)


def heading(name: str, state: str, note: str = "") -> str:
    """A name, its state as a word with a coloured ring, and a quieter note."""
    colour = _COLOURS.get(state, _WAITING)
    ring = f"display:inline-block;width:8px;height:8px;border:2px solid {colour};border-radius:50%;margin-right:6px"
    return (
        f'<div><strong>{escaped(name)}</strong> &nbsp;<span style="{ring}"></span>{escaped(state)}'
        f' &nbsp;<span style="{_GREY}">{escaped(note)}</span></div>'
    )


def facts(rows: Sequence[tuple[str, Any]]) -> str:
    """Names and values as a small table; those without a value are left out."""
    lines = [
        f'<tr><th scope="row" style="text-align:left;font-weight:400;padding:1px 12px 1px 0;{_GREY}">{escaped(name)}</th>'
        f'<td style="text-align:left;padding:1px 0">{escaped(value)}</td></tr>'
        for name, value in rows
        if value not in (None, "")
    ]
    return f'<table style="margin:2px 0">{"".join(lines)}</table>'


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table with a head; the first column names the row."""
    top = "".join(
        f'<th scope="col" style="{_cell(index)};{_GREY}">{escaped(text)}</th>' for index, text in enumerate(head)
    )
    body = "".join(
        f"<tr>{''.join(f'<td style={chr(34)}{_cell(index)}{chr(34)}>{escaped(value)}</td>' for index, value in enumerate(row))}</tr>"
        for row in rows
    )
    return f'<table style="margin:2px 0"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def link(address: str) -> str:
    """An address that a click opens in another tab."""
    shown = escaped(address)
    return f'<a href="{shown}" target="_blank" rel="noopener" style="color:var(--jp-content-link-color, #0b5ed7)">{shown}</a>'


def measures(rows: Sequence[tuple[str, str | None, Sequence[float | None]]]) -> str:
    """Names, values, and the course of each over the last looks, the oldest first."""
    lines = [
        f'<tr><th scope="row" style="text-align:left;font-weight:400;padding:1px 12px 1px 0;{_GREY}">{escaped(name)}</th>'
        f'<td style="text-align:right;padding:1px 8px 1px 0;font-variant-numeric:tabular-nums">{escaped(value) if value else "&ndash;"}</td>'
        f'<td style="padding:1px 0">{_sparkline(values)}</td></tr>'
        for name, value, values in rows
    ]
    return f'<table style="margin:2px 0">{"".join(lines)}</table>'


def _sparkline(values: Sequence[float | None]) -> str:
    """A line of the same scale as the sidebar's; nothing measured lies at the bottom."""
    top = max((value for value in values if value is not None), default=0.0)
    step = _SPARK_WIDTH / (len(values) - 1) if len(values) > 1 else 0.0
    points = " ".join(
        f"{at * step:.1f},{_SPARK_HEIGHT - 1 - ((value or 0.0) / top if top else 0.0) * (_SPARK_HEIGHT - 2):.1f}"
        for at, value in enumerate(values)
    )
    line = f'<polyline points="{points}" fill="none" stroke="var(--jp-brand-color1, #1976d2)" stroke-width="1.2"/>'
    size = f'width="{_SPARK_WIDTH}" height="{_SPARK_HEIGHT}" viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}"'
    return f'<svg {size} aria-hidden="true" style="vertical-align:middle">{line}</svg>'


def sentences(texts: Sequence[str]) -> str:
    """A line each, in quiet."""
    return "".join(f'<div style="{_GREY}">{escaped(text)}</div>' for text in texts)


def problem(name: str, message: str, hint: str) -> str:
    """Why there is nothing to show, and how to mend it."""
    return f"{heading(name, 'not known')}<div>{escaped(message)}</div>{sentences([hint] if hint else [])}"


def duration(seconds: float | None) -> str | None:
    """`3 min`, `2 h`; None stays None."""
    if seconds is None:
        return None
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def milliseconds(seconds: float | None) -> str | None:
    """`12.3 ms`; None stays None."""
    return None if seconds is None else f"{seconds * 1000:.1f} ms"


def _cell(index: int) -> str:
    return f"text-align:{'left' if index == 0 else 'right'};padding:1px 12px 1px 0;font-weight:400"
