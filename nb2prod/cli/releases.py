"""`nb2prod list` and `nb2prod show NAME`: the releases that builds on this machine made."""

from __future__ import annotations

import click

from nb2prod.cli.output import common_options, note, print_json, print_text


@click.command("list", short_help="List the releases.")
@common_options
def list_releases(*, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (read by `main`)
    """List the releases, newest first, with their parity."""
    from nb2prod.release import record

    records = record.list()
    if as_json:
        print_json({"releases": [item.to_json() for item in records]})
    elif not records:
        note("No releases yet. Make one: nb2prod build my_notebook.ipynb")


@click.command(short_help="Show a release: its plan and its proof.")
@click.argument("name", metavar="NAME")
@common_options
def show(name: str, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (read by `main`)
    """Show a release (name, its newest; or name:version): plan, fields, captured values, parity."""
    from nb2prod.release import record

    found = record.find(name)
    print_json(found.to_json()) if as_json else print_text(str(found))
