"""Options of the commands that read a request log."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from nb2prod.errors import InputError

log_folders = click.option(
    "--log", "logs", multiple=True, type=click.Path(path_type=Path), metavar="FOLDER",
    help="A request log's folder, as of replicas elsewhere; by default the deployment's own.",
)  # fmt: skip


def _day(_context: click.Context, _parameter: click.Parameter, value: str | None) -> dt.date | None:
    try:
        return None if value is None else dt.date.fromisoformat(value)
    except ValueError:
        raise InputError(f"--since {value!r} is no day", "For example: --since 2026-03-01") from None


since_day = click.option("--since", metavar="DAY", callback=_day, help="Rows of this day (2026-03-01) and later.")
