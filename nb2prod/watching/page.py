"""A look as HTML: states, evidence, sizes, and both distributions of each series as a picture. Without scripts; in the reader's own colours, light or dark."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

from nb2prod.watching.look import Look, sentence
from nb2prod.watching.realised import ASSUMPTION, Realised
from nb2prod.watching.verdict import Verdict
from nb2prod.watching.words import counted

_STYLE = """
.nb2prod-watch { --ink: var(--jp-ui-font-color1, #1c1f23); --quiet: var(--jp-ui-font-color2, #5a626b); --line: var(--jp-border-color2, #d5dadf);
  --training: var(--jp-ui-font-color3, #9aa3ad); --now: var(--jp-brand-color1, #1769c7); --bad: var(--jp-error-color1, #c62828);
  --warn: var(--jp-warn-color1, #a85b00); --good: var(--jp-success-color1, #2e7d32); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
.nb2prod-watch h1 { font-size: 1.35em; margin: 0 0 .2em; } .nb2prod-watch h2 { font-size: 1.05em; margin: 1.4em 0 .4em; }
.nb2prod-watch p { margin: .25em 0; } .nb2prod-watch .quiet { color: var(--quiet); }
.nb2prod-watch .state { font-weight: 600; } .nb2prod-watch .drifted, .nb2prod-watch .worse { color: var(--bad); }
.nb2prod-watch .drifting { color: var(--warn); } .nb2prod-watch .state.quiet { color: var(--good); } .nb2prod-watch .waiting { color: var(--quiet); }
.nb2prod-watch .alarm { border-left: 3px solid var(--bad); padding: .3em .8em; margin: .6em 0; }
.nb2prod-watch details { border-top: 1px solid var(--line); padding: .35em 0; }
.nb2prod-watch summary { display: grid; grid-template-columns: minmax(9em, 2fr) 5.5em 9.5em minmax(12em, 1fr); gap: .2em 1em; cursor: pointer; }
.nb2prod-watch summary:focus-visible { outline: 2px solid var(--now); outline-offset: 2px; }
.nb2prod-watch summary .name { overflow-wrap: anywhere; } .nb2prod-watch .number { font-variant-numeric: tabular-nums; }
.nb2prod-watch svg { display: block; width: 100%; max-width: 46em; height: auto; margin: .5em 0; }
.nb2prod-watch svg text { fill: var(--quiet); font-size: 11px; } .nb2prod-watch .training { fill: var(--training); } .nb2prod-watch .now { fill: var(--now); }
.nb2prod-watch table { border-collapse: collapse; } .nb2prod-watch th, .nb2prod-watch td { text-align: left; padding: .1em 1.2em .1em 0; font-weight: 400; }
.nb2prod-watch th { color: var(--quiet); }
@media (max-width: 36em) { .nb2prod-watch summary { grid-template-columns: 1fr auto; } }
"""
_DARK = """
body { margin: 0 auto; padding: 1.5em; max-width: 60em; background: #fff; }
@media (prefers-color-scheme: dark) { body { background: #14171a; } main .nb2prod-watch { --ink: #e6e9ec; --quiet: #a3adb7; --line: #343a41;
  --training: #6b7580; --now: #6ab0ff; --bad: #ff8a80; --warn: #ffb74d; --good: #81c784; } }
"""
_WIDTH, _HEIGHT, _LEFT, _RIGHT = 560, 15, 170, 60
_OPEN = 2
"""Pictures that are open at first."""
_DAYS = 14


def document(seen: Look, known: Realised | None = None) -> str:
    """The whole page."""
    title = html.escape(f"{seen.subject.name}: {seen.state}")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_DARK}</style></head><body><main>{fragment(seen, known)}</main></body></html>\n"
    )


def fragment(seen: Look, known: Realised | None = None) -> str:
    """The same for another page, which brings its own colours as JupyterLab's variables."""
    return f'<style>{_STYLE}</style><div class="nb2prod-watch">{"".join(_parts(seen, known))}</div>'


def _parts(seen: Look, known: Realised | None) -> Iterator[str]:
    yield f"<h1>{_text(seen.subject.name)} {_state(seen.state)}</h1>"
    owner = seen.subject.owner or "nobody"
    yield f'<p class="quiet">{_text(seen.subject.model)}, owner: {_text(owner)}. {counted(seen.rows, "row")} of {counted(len(seen.days), "day")}.</p>'
    yield f'<p class="quiet">{_text(seen.promise[0].upper() + seen.promise[1:])}.</p>'
    for item in seen.alarms:
        book = f" Runbook: {_text(seen.subject.runbook)}." if seen.subject.runbook else ""
        yield f'<div class="alarm" role="alert"><strong>Alarm</strong> since {_text(item.raised[:16].replace("T", " "))}: {_text(item.text)}.{book}</div>'
    for item in seen.acknowledged:
        yield f'<p class="quiet">Acknowledged by {_text(item.who)} ({_text(item.why)}): {_text(item.text)}.</p>'
    if seen.verdicts:
        yield "<h2>What is asked and answered</h2>"
        opened = 0
        for verdict in seen.verdicts:
            show = verdict.state in ("drifted", "drifting") and opened < _OPEN
            opened += show
            yield _series(verdict, show=show)
    if known is not None:
        yield from _labels(known)
    if seen.unwatched or seen.notes:
        yield "<h2>Not watched, and notes</h2>"
        yield "".join(f'<p class="quiet">{_text(item.name)}: {_text(item.reason)}</p>' for item in seen.unwatched)
        yield "".join(f'<p class="quiet">{_text(note)}</p>' for note in seen.notes)


def _series(item: Verdict, *, show: bool) -> str:
    head = (
        f'<summary><span class="name">{_text(item.name)}</span>{_state(item.state)}'
        f'<span class="number quiet">evidence {_text(item.shown_evidence)}</span><span class="number quiet">{item.shown_size}</span></summary>'
    )
    if item.size is None:
        return f'<details>{head}<p class="quiet">{_text(item.note)}</p></details>'
    words = f"{_text(sentence(item))}. Grey: training{' ' + item.note if item.note else ''}; blue: {'since ' + item.since if item.since else 'in service'}."
    return f'<details{" open" if show else ""}>{head}<p class="quiet">{words}</p>{_picture(item)}</details>'


def _picture(item: Verdict) -> str:
    """Two bars a bin: training's share above, the present one below."""
    shares = [[count / max(sum(counts), 1) for count in counts] for counts in (item.reference, item.current)]
    most = max(*shares[0], *shares[1], 1e-9)
    room = _WIDTH - _LEFT - _RIGHT
    lines = []
    told = [at for at in range(len(item.labels)) if shares[0][at] or shares[1][at]]
    for place, at in enumerate(told):
        label = item.labels[at]
        top = place * (2 * _HEIGHT + 6)
        shown = label if len(label) <= 26 else f"{label[:25]}…"
        lines.append(f'<text x="{_LEFT - 8}" y="{top + _HEIGHT + 4}" text-anchor="end">{_text(shown)}</text>')
        for row, kind in enumerate(("training", "now")):
            share, y = shares[row][at], top + row * _HEIGHT
            width = room * share / most
            lines.append(
                f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_HEIGHT - 2}" rx="2"/>'
            )
            lines.append(f'<text x="{_LEFT + width + 5:.1f}" y="{y + _HEIGHT - 4}">{share:.1%}</text>')
    height = len(told) * (2 * _HEIGHT + 6)
    about = f"Shares of {item.name} by range, in training and now"
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{_text(about)}">{"".join(lines)}</svg>'


def _labels(known: Realised) -> Iterator[str]:
    yield f"<h2>How good the answers were {_state(known.state)}</h2>"
    yield f'<p class="quiet">{known.labelled:,} of {known.rows:,} rows have a label ({known.coverage:.1%}); {counted(known.unknown, "label")} of no row of the log.</p>'
    if known.loss is not None and known.low is not None and known.high is not None:
        against = "" if known.notebook_loss is None else f"; the notebook's: {known.notebook_loss:.4g}"
        yield f"<p>{_text(known.loss_name)}: {known.loss:.4g}, at all times within {known.low:.4g} to {known.high:.4g} (95 %){against}</p>"
    rows = "".join(
        f"<tr><td>{_text(day.day)}</td><td>{day.rows:,}</td><td>{_number(day.loss)}</td><td>{_number(day.estimate)}</td></tr>"
        for day in known.days[-_DAYS:]
    )
    if rows:
        head = "<tr><th>day</th><th>labels</th><th>loss</th><th>estimated without labels</th></tr>"
        yield f'<table class="number"><thead>{head}</thead><tbody>{rows}</tbody></table>'
        yield f'<p class="quiet">The estimate {_text(ASSUMPTION)}.</p>'
    yield "".join(f'<p class="quiet">{_text(note)}</p>' for note in known.notes)


def _state(word: str) -> str:
    return f'<span class="state {_text(word)}">{_text(word)}</span>'


def _number(value: float | None) -> str:
    return "&ndash;" if value is None else f"{value:.4g}"


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)
