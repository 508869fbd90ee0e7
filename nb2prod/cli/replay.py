"""`nb2prod replay NAME`: logged rows asked again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod.cli import completion
from nb2prod.cli.log_options import log_folders, since_day
from nb2prod.cli.output import common_options, print_json, print_text
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.watching.replay import Differing, Replay

_SHOWN = 5


@click.command(short_help="Ask logged rows again, and compare the answers.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@since_day
@click.option(
    "--sample", "most", type=click.IntRange(1), default=10_000, show_default=True, help="So many rows at most."
)
@click.option(
    "--own-lines", is_flag=True, help="Ask the notebook's own lines with their captured values, without HTTP."
)
@click.option("--against", metavar="NAME:VERSION", help="Ask this release instead: what would it answer?")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed draws other rows.")
@log_folders
@common_options
def replay(  # noqa: PLR0913 - an option each
    name: str,
    *,
    since: dt.date | None,
    most: int,
    own_lines: bool,
    against: str | None,
    seed: int,
    logs: tuple[Path, ...],
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Ask logged rows of a deployment (or a served release) again, and hold the answers against those of then.

    Exit code 1 where the same version answers otherwise now, 2 where no row could be compared. With --against a difference is what was asked for, and exits with 0.
    """
    from nb2prod.cli.progress import shown
    from nb2prod.watching import subject
    from nb2prod.watching.replay import Wish
    from nb2prod.watching.replay import replay as replayed

    if own_lines and against:
        raise InputError("--own-lines and --against exclude each other", "Leave one of the two out.")
    wish = Wish("own lines" if own_lines else "bento", against, since, most, seed)
    with shown() as progress:
        found = replayed(subject.find(name, logs), wish, progress)
    if as_json:
        print_json(found.to_json())
    else:
        print_text("\n".join(text(found)))
    if not found.asked:
        return 2  # nothing was compared: that is no pass
    return 0 if found.same or against is not None else 1


def text(found: Replay) -> Iterator[str]:
    """What came of it, in lines."""
    yield found.sentence
    yield f"{found.asked:,} of {found.total:,} logged rows, asked in {found.seconds:g} s"
    for reason, count in found.skipped.items():
        yield f"not asked: {count:,} rows {reason}"
    for feature, count in found.features.items():
        yield f"first to differ: {feature}, in {count:,} rows"
    for item in found.differences[:_SHOWN]:
        yield from _difference(item)
    for note in found.notes:
        yield f"note: {note}"


def _difference(item: Differing) -> Iterator[str]:
    yield f"\n{item.time}  request {item.request_id}, row {item.row}: {item.logged!r} then, {item.now!r} now ({item.reason})"
    if item.cause is not None:
        cause = item.cause
        yield f"  {cause.feature}: {cause.logged!r} then, {cause.computed!r} now"
        place = f"cell {cause.cell}" + (f", line {cause.line}" if cause.line else "")
        if cause.source:
            yield f"  {place}: {cause.source}"
