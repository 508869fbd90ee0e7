"""`nb2prod doctor`: what of this machine works, and what to do about the rest."""

from __future__ import annotations

import textwrap
from pathlib import Path

import click

from nb2prod.cli.output import common_options, print_json, print_text

_COLOURS = {"works": "green", "missing": "yellow", "broken": "red"}
_WIDTH = 100


@click.command(short_help="Look what of this machine works.")
@click.argument("notebook", metavar="[NB]", required=False, type=click.Path(path_type=Path))
@common_options
def doctor(notebook: Path | None, *, as_json: bool, debug: bool) -> int:  # noqa: ARG001 (read by `main`)
    """Try what nb2prod needs of this machine: kernels, folders and disk, sidebar, port, HAProxy, container engine.

    With NB, also whether its kernel is here. Exit code 2 where something is broken; what is merely missing can be
    done without.
    """
    from nb2prod.doctor import examine
    from nb2prod.notebook import load

    diagnosis = examine(load(notebook) if notebook is not None else None)
    if as_json:
        print_json(diagnosis.to_json())
        return 0 if diagnosis.well else 2
    width = max(len(item.part) for item in diagnosis.findings)
    for item in diagnosis.findings:
        state = click.style(f"{item.state:<8}", fg=_COLOURS[item.state])
        print_text(f"{state} {item.part:<{width}}  {item.found}")
        for number, line in enumerate(textwrap.wrap(item.remedy, _WIDTH - 12, break_long_words=False)):
            print_text(f"         {'->' if number == 0 else '  '} {line}")
    missing = sum(item.state == "missing" for item in diagnosis.findings)
    broken = sum(item.state == "broken" for item in diagnosis.findings)
    rest = f" {missing} can be done without." if missing else ""
    print_text(f"\n{f'{broken} must be mended.' if broken else 'All that is needed works.'}{rest}")
    return 0 if diagnosis.well else 2
