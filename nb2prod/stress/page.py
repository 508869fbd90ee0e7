"""The report of a stress test as HTML: a bar for each alteration. Without scripts; in the reader's own colours, light or dark."""

from __future__ import annotations

import html
from collections.abc import Iterator

from nb2prod.evaluation.stress import Effect, StressReport

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1f23; --quiet: #5a626b; --line: #d5dadf; --changed: #1769c7; --lost: #c62828; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --quiet: #a3adb7; --line: #343a41; --changed: #6ab0ff; --lost: #ff8a80; --paper: #14171a; } }
body { margin: 0 auto; padding: 1.5em; max-width: 64em; color: var(--ink); background: var(--paper); font: 14px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.35em; margin: 0 0 .2em; } h2 { font-size: 1.05em; margin: 1.6em 0 .4em; } p { margin: .25em 0; } .quiet { color: var(--quiet); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3em 1em .3em 0; border-top: 1px solid var(--line); vertical-align: top; }
th { color: var(--quiet); font-weight: 400; border-top: 0; } td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { display: flex; width: 10em; height: .9em; background: var(--line); border-radius: 2px; overflow: hidden; margin-top: .25em; }
.bar i { background: var(--changed); } .bar b { background: var(--lost); }
"""


def document(report: StressReport) -> str:
    """The whole page."""
    title = html.escape(f"{report.release} under stress")
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>{''.join(_parts(report))}</main></body></html>\n"
    )


def _parts(report: StressReport) -> Iterator[str]:
    yield f"<h1>{_text(report.release)} under stress</h1>"
    yield f'<p class="quiet">{report.rows:,} rows of its notebook, each altered in one field; {_text(report.created[:16].replace("T", " "))} UTC.</p>'
    yield "<h2>Altered requests</h2>"
    sized = any(item.typical is not None for item in report.effects)
    sizes = (
        " Sizes in standard deviations of the predictions, in the median and for one row in twenty." if sized else ""
    )
    yield f'<p class="quiet">Blue: another answer. Red: refused by the contract, or no answer.{sizes}</p>'
    by = "<th>Typically by</th>" if sized else ""
    loss = f"<th>{_text(report.loss_name.capitalize())}</th>" if report.loss_name else ""
    yield f'<div class="scroll"><table><tr><th>Field</th><th>Altered</th><th>Answers</th>{by}{loss}<th>Suffers most</th></tr>'
    yield from (_row(item, with_loss=bool(loss), sized=sized) for item in report.effects)
    yield "</table></div><h2>Latency</h2>"
    for item in report.load:
        failed = f", {item.failed:,} without an answer" if item.failed else ""
        yield f"<p>{item.callers} caller{'s' * (item.callers > 1)} at a time: p50 {item.p50_ms:g} ms, p99 {item.p99_ms:g} ms{failed}. Budget: {report.budget_ms:g} ms.</p>"
    yield "<h2>Age</h2>"
    age = report.ageing
    if age.newest is None or age.others is None:
        yield f'<p class="quiet">The newest rows are not compared: {_text(age.reason or "no metric")}.</p>'
    else:
        interval = "" if age.low is None else f" ({age.low:.4g} to {age.high:.4g})"
        yield f"<p>The newest tenth by {_text(age.time)}, {age.rows:,} rows: {_text(age.metric)} {age.newest:.4g}{interval}; all others {age.others:.4g}.</p>"


def _row(item: Effect, *, with_loss: bool, sized: bool) -> str:
    lost = (item.refused + item.unanswered) / item.rows
    changed = item.changed * item.answered / item.rows
    told = [f"{changed:.0%} changed"] if changed else []
    told += [f"{item.refused / item.rows:.0%} refused"] if item.refused else []
    told += [f"{item.unanswered / item.rows:.0%} without an answer"] if item.unanswered else []
    words = ", ".join(told) or "the same"
    bar = f'<span class="bar" role="img" aria-label="{words}"><i style="width:{changed:.1%}"></i><b style="width:{lost:.1%}"></b></span>'
    by = "" if item.typical is None else f"{item.typical:.2g}, {item.large:.2g}"
    loss = "" if item.loss is None else f"{item.loss_before:.3g} to {item.loss:.3g}"
    cells = f"<td>{_text(item.field)}</td><td>{item.kind}</td><td>{words}{bar}</td>"
    cells += f'<td class="number">{by}</td>' if sized else ""
    return f"<tr>{cells}{f'<td class=number>{loss}</td>' if with_loss else ''}<td>{_text(item.worst)}</td></tr>"


def _text(value: str) -> str:
    return html.escape(value)
