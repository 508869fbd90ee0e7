"""`nb2prod labels NAME [FILE]`: what turned out to be true of rows that were answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod.cli import completion
from nb2prod.cli.log_options import log_folders
from nb2prod.cli.output import common_options, print_json, print_text
from nb2prod.cli.table import columns
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.watching.realised import Realised

_DAYS = 14


@click.command(short_help="Tell what turned out to be true, and see how good the answers were.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--label", default="label", show_default=True, metavar="COLUMN", help="The column of FILE that is true.")
@click.option(
    "--key", "keys", multiple=True, metavar="FIELD", help="Know rows by these fields instead of request_id and row."
)
@log_folders
@common_options
def labels(
    name: str,
    *,
    file: Path | None,
    label: str,
    keys: tuple[str, ...],
    logs: tuple[Path, ...],
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Take labels from FILE (Parquet or CSV; without it, those that the service was told), and show how good the answers were.

    The last label of a row counts. Rows are known by request_id and row, or by fields with --key.
    """
    from nb2prod.cli.progress import shown
    from nb2prod.watching import labelling, subject
    from nb2prod.watching.look import look

    if file is None and keys:
        raise InputError(
            "--key says how to know the rows of a file", "Name the file: nb2prod labels NAME FILE --key ..."
        )
    if file is not None and not file.is_file():
        raise InputError(f"there is no file {file}", "Name a Parquet or CSV file with a column of labels.")
    found = subject.find(name, logs)
    thresholds = subject.thresholds(found)
    table = None if file is None else labelling.LabelTable(file, label, keys)
    with shown() as progress:
        look(found, thresholds, tell=progress.message)
        made = labelling.judged(found, thresholds, table, progress.message)
    if as_json:
        print_json({"name": found.name, "model": found.model, **made.to_json()})
    else:
        print_text("\n".join(text(made)))
    return 0


def text(made: Realised) -> Iterator[str]:
    """What labels say, in lines."""
    from nb2prod.watching.words import counted

    corrected = f", {made.corrected:,} of them corrected" if made.corrected else ""
    unknown = f"; {counted(made.unknown, 'label')} of no row of the log" if made.unknown else ""
    yield f"labels: {made.labelled:,} of {counted(made.rows, 'row')} ({made.coverage:.1%}){corrected}{unknown}"
    if made.loss is not None and made.low is not None and made.high is not None:
        against = "" if made.notebook_loss is None else f"; the notebook's: {made.notebook_loss:.4g}"
        yield f"{made.loss_name}: {made.loss:.4g}, at all times within {made.low:.4g} to {made.high:.4g} (95 %){against}"
        yield {
            "worse": f"worse than stated since {made.since} (evidence {made.evidence:.3g})",
            "quiet": f"no evidence of a rise that matters (evidence {made.evidence:.3g})",
        }.get(made.state, "not held against the notebook")
        yield made.promise
    rows = [
        (item.name, f"{item.value:.4g}", "" if item.low is None else f"{item.low:.4g} to {item.high:.4g}")
        for item in made.metrics
        if item.value is not None
    ]
    yield from columns([("METRIC", "VALUE", "95 %"), *rows]) if rows else []
    days = [(d.day, f"{d.rows:,}", _number(d.loss), _number(d.estimate)) for d in made.days[-_DAYS:]]
    if days:
        yield ""
        yield from columns([("DAY", "LABELS", "LOSS", "ESTIMATED WITHOUT LABELS"), *days])
        if any(d.estimate is not None for d in made.days):
            from nb2prod.watching.realised import ASSUMPTION

            yield f"the estimate {ASSUMPTION}"
        if made.estimate_error is not None:
            yield f"where labels came, it was wrong by {made.estimate_error:.3g} on average"
    yield from (f"note: {note}" for note in made.notes)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
