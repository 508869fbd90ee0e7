"""How a build ends: the verdict, what the service asks for and answers, and the commands that come next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from nb2prod.cli.table import columns, pairs
from nb2prod.diagnostics import Diagnostic, ordered

if TYPE_CHECKING:
    from nb2prod.built import BuildResult

_WIDTH = 100
_SHOWN = 3


def lines(result: BuildResult) -> Iterator[str]:
    """What a build that was proved prints: about fifteen lines. The plan itself is `show`'s."""
    from nb2prod.evaluation import words

    report = result.parity
    compared = sum(report.cases.values())
    sample = " (a sample: --quick)" if report.sample else ""
    yield f"Proved{sample}: {result.bento} gives the notebook's own answers; {compared:,} were compared, none differs."
    yield from pairs([(name, text) for name, text in _facts(result).items() if text])
    yield from () if result.metrics is None else (f"  {line}" for line in words.lines(result.metrics))
    yield from _warnings(result.diagnostics)
    yield ""
    yield "Next"
    yield from (f"  {line}" for line in columns(_next(result)))


def _facts(result: BuildResult) -> Mapping[str, str]:
    plan = result.plan
    kept = [value.name for value in plan.captured]
    holding = [f"{value.name} ({value.rows_held} rows)" for value in plan.captured if value.rows_held]
    coded = [value.name for value in plan.captured if value.as_code]
    return {
        "prediction": plan.prediction or "the cell's last expression",
        "request": _some(plan.fields, "field"),
        "target": f"{', '.join(plan.target)} (a request has none)" if plan.target else "",
        "kept": _some(kept, "value of training", "values of training"),
        "holds rows": f"{', '.join(holding)}: rows of the notebook's tables are in the Bento" if holding else "",
        "as code": f"{', '.join(coded)} (by cloudpickle: no format for data holds it)" if coded else "",
        "report": str(result.record / "parity.html") if result.record else "",
    }


def _some(names: Sequence[str], noun: str, nouns: str = "") -> str:
    """`3 fields: a, b, c`, within one line."""
    if not names:
        return ""
    head = f"{len(names)} {noun if len(names) == 1 else nouns or f'{noun}s'}: "
    shown: list[str] = []
    for name in names:
        if len(head + ", ".join([*shown, name])) > _WIDTH - 30:
            return f"{head}{', '.join(shown or [name[:40]])} and {len(names) - max(len(shown), 1)} more"
        shown.append(name)
    return head + ", ".join(shown)


def _warnings(found: Sequence[Diagnostic]) -> Iterator[str]:
    """A line each: whole, with their remedies, `show` has them."""
    told = [item for item in ordered(found) if item.severity == "warning"]
    for item in told[:_SHOWN]:
        place = f" {item.place}:" if item.place else ""
        text = " ".join(item.message.split())
        yield f"  {textwrap.shorten(f'warning {item.code}{place} {text}', _WIDTH, placeholder=' ...')}"
    if len(told) > _SHOWN:
        yield f"  and {len(told) - _SHOWN} more warnings"


def _next(result: BuildResult) -> list[tuple[str, ...]]:
    name = (result.bento or "").partition(":")[0]
    last = (f"nb2prod deploy {name}", "keeps it running on this machine")
    if result.parity.sample:
        last = (f"nb2prod parity {name}", "the whole proof: it can't be deployed before")
    return [
        (f"nb2prod serve {name}", "ask it at http://localhost:3000"),
        (f"nb2prod show {name}", "the served lines, what is kept and why, the warnings"),
        last,
    ]
