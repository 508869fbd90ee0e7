"""`nb2prod parity TARGET`: prove a release again."""

from __future__ import annotations

import click

from nb2prod.cli.output import common_options


@click.command(short_help="Prove a release again.")
@click.argument("target", metavar="TARGET")
@common_options
def parity(target: str, *, as_json: bool, debug: bool) -> int:
    """Prove again that a Bento (name, name:version, folder or URL) answers as its notebook did."""
    raise NotImplementedError(target)
