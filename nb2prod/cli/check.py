"""`nb2prod check NB`: the forecast, without running any of the notebook's code."""

from __future__ import annotations

from pathlib import Path

import click

from nb2prod.cli.output import common_options, print_diagnostics, print_json, print_text


@click.command(short_help="Forecast what a build would serve; runs nothing.")
@click.argument("notebook", metavar="NB", type=click.Path(path_type=Path))
@common_options
def check(notebook: Path, *, as_json: bool, debug: bool) -> int:  # noqa: ARG001 (read by `main`)
    """Forecast what a build would serve, and what stands in its way; runs nothing."""
    from nb2prod import config
    from nb2prod.forecast import forecast
    from nb2prod.notebook import load

    read = load(notebook)
    result = forecast(read, config.load(read.path))
    if as_json:
        print_json(result.to_json())
    else:
        print_text(result.text())
        # What is merely kept from training stands above, under its name.
        found = [item for item in result.diagnostics if item.severity != "info" or item.code.startswith("N")]
        if found:
            print_text("")
            print_diagnostics(found, read.name, err=False)
        print_text(f"\n{result.verdict()}")
    return 1 if result.refused else 0
