"""`nb2prod forget NAME --where FIELD=VALUE`: remove somebody's rows from a request log."""

from __future__ import annotations

from pathlib import Path

import click

from nb2prod.cli import completion
from nb2prod.cli.log_options import log_folders
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.errors import InputError


@click.command(short_help="Remove somebody's rows from a request log.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.option(
    "--where", "conditions", multiple=True, required=True, metavar="FIELD=VALUE",
    help="Rows with this value; `caller` and `request_id` may stand for a field. Of several, all must hold.",
)  # fmt: skip
@log_folders
@common_options
def forget(name: str, *, conditions: tuple[str, ...], logs: tuple[Path, ...], as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Remove all logged rows of a caller, an entity or a request, with their labels, for good. Counts by day, which name nobody, stay."""
    from nb2prod.watching import forgetting, subject

    found = forgetting.forget(subject.find(name, logs), dict(map(_condition, conditions)))
    if as_json:
        print_json(found.to_json())
        return
    print_text(f"removed {found.rows:,} rows of {found.files:,} files, and {found.labels:,} labels")
    for file in found.unreadable:
        note(f"not read, and may still hold such rows: {file}")


def _condition(text: str) -> tuple[str, str]:
    field, sign, value = text.partition("=")
    if not sign or not field:
        raise InputError(f"--where {text!r} is not FIELD=VALUE", "For example: --where customer=4711")
    return field, value
