"""`nb2prod score NAME`: whole tables through a release."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, is_terminal, note, print_json, print_text
from nb2prod.progress import rounded

if TYPE_CHECKING:
    from nb2prod.scoring.job import Result, Standing


@click.command(short_help="Answer all rows of a table, of any size.")
@click.argument("name", metavar="NAME", shell_complete=completion.releases)
@click.option(
    "--in",
    "tables",
    metavar="TABLE",
    multiple=True,
    required=True,
    help="Parquet, Arrow or CSV: a file, a folder, a glob, or a URL such as s3://bucket/folder. May be given again.",
)
@click.option("--out", metavar="FOLDER", required=True, help="Folder or URL for the answers, as Parquet.")
@click.option(
    "--key", "keys", metavar="COLUMN", multiple=True, help="A column that tells which row it is; kept with the answer."
)
@click.option("--max-errors", type=click.IntRange(0), metavar="N", help="End when more than N rows have no answer.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that answer; one a core by default.")
@common_options
def score(  # noqa: PLR0913 - an option each
    name: str,
    *,
    tables: tuple[str, ...],
    out: str,
    keys: tuple[str, ...],
    max_errors: int | None,
    workers: int | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Answer every row of tables by a release, in its own environment, exactly as it answers requests.

    NAME is a Bento (name, name:version, or its folder). The answers are a folder of Parquet files: key columns, prediction, error, release; what is wrong
    with rows that have no answer is in its folder _errors. A run that was ended, by whatever, goes on when the same command is given again: no finished part is
    done again, and no row is written twice. Exit code 1 where more rows than --max-errors have no answer.
    """
    from nb2prod.cli.serve import resolve
    from nb2prod.scoring import job

    wish = job.Wish(tables, out, keys, max_errors, workers or len(os.sched_getaffinity(0)))
    progress = _Progress()
    try:
        found = job.score(resolve(name), wish, progress.told)
    finally:
        progress.end()
    if as_json:
        print_json({**asdict(found), "errors": f"{out.rstrip('/')}/_errors" if found.bad else None})
    else:
        print_text("\n".join(_text(found)))
    return 0 if found.complete else 1


def _text(found: Result) -> Iterator[str]:
    if found.complete:
        pace = found.rows / found.seconds if found.seconds else 0
        yield f"{found.rows:,} rows of {found.files:,} files answered by {found.bento} in {found.seconds:g} s ({pace:,.0f} a second): {found.out}"
    else:
        yield f"ended: {found.bad:,} rows have no answer, more than --max-errors allows"
    if found.rows_before:
        yield f"{found.rows_before:,} rows were answered before"
    if found.bad:
        yield f"{found.bad:,} rows have no answer; why is in {found.out.rstrip('/')}/_errors" + (
            ", for example:" if found.reasons else ""
        )
    for reason in found.reasons:
        yield f"  {reason}"


_OFTEN, _SELDOM = 0.2, 10.0


class _Progress:
    """One line that changes on a terminal; a line every ten seconds in a log."""

    def __init__(self) -> None:
        self._terminal = is_terminal()
        self._next = time.monotonic() + (0 if self._terminal else _SELDOM)
        self._shown = False

    def told(self, standing: Standing) -> None:
        """Says how far it is, now and then."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_OFTEN if self._terminal else _SELDOM)
        line = sentence(standing, now)
        if self._terminal:
            click.echo(f"\r\x1b[K{line}", err=True, nl=False)
            self._shown = True
        else:
            note(line)

    def end(self) -> None:
        """Leaves the line behind."""
        if self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)


def sentence(standing: Standing, now: float) -> str:
    """How far it is, in a line."""
    pace = standing.rows / max(now - standing.began, 0.001)
    text = f"{standing.before + standing.rows:,} rows, {standing.share:.0%}, {pace:,.0f} a second"
    if standing.bad:
        text += f", {standing.bad:,} without an answer"
    left = standing.seconds_left
    return text if left is None else f"{text}, about {rounded(left)} left"
