"""`nb2prod stress NAME`: what production does to requests, tried on a built service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.cli.table import columns

if TYPE_CHECKING:
    from nb2prod.evaluation.stress import Effect, StressReport


@click.command(short_help="Try missing, unseen, mistyped and shifted values, age and many callers.")
@click.argument("name", metavar="NAME", shell_complete=completion.releases)
@click.option("--page", type=click.Path(path_type=Path), metavar="FILE", help="Write a page with pictures, as HTML.")
@common_options
def stress(name: str, *, page: Path | None, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Serve a release (name, its newest; or name:version) and ask it altered rows of its notebook: each field missing, categories that training never had, typing errors, numbers shifted by
    a standard deviation; hold its newest rows against the others; and measure its latency with one caller and with many.

    The report is kept with the release, and gates can ask it: "stress.unanswered", "stress.p99_ms", "newest.METRIC".
    """
    from nb2prod.cli.progress import shown
    from nb2prod.stress import page as pages
    from nb2prod.stress import run
    from nb2prod.watching import whole_files

    with shown() as progress:
        report = run.stress(name, progress)
    if page is not None:
        whole_files.write_text(page, pages.document(report))
    if as_json:
        print_json(report.to_json())
        return
    print_text("\n".join(text(report)))
    if page is not None:
        note(f"wrote {page}")


def text(report: StressReport) -> list[str]:
    """The report in lines."""
    loss = [f"{report.loss_name.upper()}"] if report.loss_name else []
    sized = any(item.typical is not None for item in report.effects)
    by = ["TYPICALLY BY"] if sized else []
    head = ("FIELD", "ALTERED", "REFUSED", "NO ANSWER", "CHANGED", *by, *loss, "SUFFERS MOST")
    rows = [head, *(_row(item, with_loss=bool(loss), sized=sized) for item in report.effects)]
    lines = [f"{report.release}, {report.rows:,} rows of its notebook", "", *columns(rows)]
    if sized:
        lines += ["", "by: standard deviations of the predictions, in the median and for one row in twenty"]
    lines += ["", *(load_sentence(report))]
    return [*lines, ageing_sentence(report)]


def _row(item: Effect, *, with_loss: bool, sized: bool) -> tuple[str, ...]:
    by = "" if item.typical is None else f"{item.typical:.2g}, {item.large:.2g}"
    loss = "" if item.loss is None else f"{item.loss_before:.3g} to {item.loss:.3g}"
    return (
        item.field,
        item.kind,
        _share(item.refused, item.rows),
        _share(item.unanswered, item.rows),
        f"{item.changed:.0%}" if item.answered else "",
        *([by] if sized else []),
        *([loss] if with_loss else []),
        item.worst,
    )


def _share(count: int, of: int) -> str:
    return f"{count / of:.0%}" if count else ""


def load_sentence(report: StressReport) -> list[str]:
    """Latency in words, a line for each number of callers."""
    return [
        f"{item.callers} caller{'s' * (item.callers > 1)}: p50 {item.p50_ms:g} ms, p99 {item.p99_ms:g} ms of {item.requests:,} requests of one row"
        + (f", {item.failed:,} without an answer" if item.failed else "")
        + f" (budget {report.budget_ms:g} ms)"
        for item in report.load
    ]


def ageing_sentence(report: StressReport) -> str:
    """The newest rows in words."""
    item = report.ageing
    if item.newest is None or item.others is None:
        return f"newest rows: not compared; {item.reason or 'no metric'}"
    interval = "" if item.low is None else f" ({item.low:.4g} to {item.high:.4g})"
    return f"newest tenth by {item.time}, {item.rows:,} rows: {item.metric} {item.newest:.4g}{interval}; the others {item.others:.4g}"
