"""`nb2prod suggest NB`: tags for an untagged notebook, a reason for each."""

from __future__ import annotations

from pathlib import Path

import click

from nb2prod.cli.output import common_options, note, print_json, print_text


@click.command(short_help="Propose tags for a notebook; runs nothing.")
@click.argument("notebook", metavar="NB", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Put the tags into the file; nothing else in it changes.")
@common_options
def suggest(notebook: Path, *, write: bool, as_json: bool, debug: bool) -> int:  # noqa: ARG001 (read by `main`)
    """Propose tags for the notebook's cells, with a reason for each; runs nothing."""
    from nb2prod.forecast import suggest as propose
    from nb2prod.notebook import load
    from nb2prod.notebook_tags import write_tags

    read = load(notebook)
    proposal = propose(read)
    if write:
        write_tags(read.path, proposal.tags_to_write())
    if as_json:
        print_json({**proposal.to_json(), "written": write})
        return 0
    print_text(proposal.text())
    if write:
        note(f"Written to {notebook}. Read it through, then: nb2prod check {notebook}")
    elif proposal.changes:
        note(f"Nothing was changed. To put these tags in: nb2prod suggest {notebook} --write")
    return 0
