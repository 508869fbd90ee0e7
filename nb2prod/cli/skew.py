"""`nb2prod skew NAME TABLE --key FIELD`: what callers sent beside what the training table later holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod.cli import completion
from nb2prod.cli.log_options import log_folders, since_day
from nb2prod.cli.output import common_options, print_json, print_text
from nb2prod.cli.table import columns
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.watching.skew import Skew


@click.command(short_help="Hold what callers sent against the training table.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.argument("table", metavar="TABLE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--key", "keys", multiple=True, required=True, metavar="FIELD", help="The fields that tell a thing apart."
)
@since_day
@click.option(
    "--sample", "most", type=click.IntRange(1), default=100_000, show_default=True, help="So many rows at most."
)
@log_folders
@common_options
def skew(  # noqa: PLR0913 - an option each
    name: str,
    table: Path,
    *,
    keys: tuple[str, ...],
    since: dt.date | None,
    most: int,
    logs: tuple[Path, ...],
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Join logged rows with TABLE (Parquet or CSV) by key, and tell which fields differ, how often and by what.

    The service computes what the notebook computes; this asks whether callers send what the notebook was trained on. Exit code 1 where a field differs.
    """
    from nb2prod.watching import skew as comparing
    from nb2prod.watching import subject

    if not table.is_file():
        raise InputError(f"there is no table {table}", "Name a Parquet or CSV file.")
    found = comparing.skew(subject.find(name, logs), table, keys, since=since, most=most)
    if as_json:
        print_json(found.to_json())
    else:
        print_text("\n".join(text(found)))
    return 1 if found.differs else 0


def text(found: Skew) -> Iterator[str]:
    """What differs, in lines."""
    yield f"{found.joined:,} of {found.sampled:,} logged rows of {found.model} are in the table by {', '.join(found.keys)}"
    if found.ambiguous:
        yield f"{found.ambiguous:,} rows have a key that the table holds with different values, and are left out"
    rows = [
        (
            item.name,
            f"{item.differing:,} of {item.rows:,}",
            f"{item.bound:.2%}",
            item.pattern or ("no plain pattern" if item.differing else ""),
        )
        for item in found.fields
    ]
    yield ""
    yield from columns([("FIELD", "DIFFER", "AT MOST (95 %)", "BY WHAT"), *rows])
    for item in found.fields:
        for pair in item.examples:
            yield f"  {item.name} of {', '.join(pair.key)}: {pair.sent!r} was sent, the table has {pair.known!r}"
    if found.not_compared:
        yield f"not compared: {', '.join(found.not_compared)} (not in the table, or not in the log)"
