"""`nb2prod check NB...`: the forecast, without running any of the notebook's code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod import diagnostics
from nb2prod.cli.output import common_options, print_diagnostics, print_json, print_text

if TYPE_CHECKING:
    from nb2prod.bento.kernel_outlook import KernelOutlook
    from nb2prod.forecast.outcome import Forecast
    from nb2prod.notebook import Notebook


@click.command(short_help="Forecast what a build would serve; runs nothing.")
@click.argument("notebooks", metavar="NB...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--tagged", is_flag=True, help="Pass over notebooks without a cell tagged predict.")
@click.option("--kernel", metavar="NAME", help="The kernel that a build would run on (default: the notebook's own).")
@common_options
def check(
    notebooks: tuple[Path, ...],
    *,
    tagged: bool,
    kernel: str | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Forecast what a build would serve, and what stands in its way; runs nothing.

    With several notebooks, --json prints a list of their forecasts.
    """
    from nb2prod import config
    from nb2prod.bento import kernel_outlook
    from nb2prod.forecast import forecast
    from nb2prod.notebook import load

    found = []
    for path in notebooks:
        read = load(path)
        if tagged and not any("predict" in cell.tags for cell in read.code_cells):
            continue
        options = config.load(read.path, {"kernel": kernel})
        found.append((read, forecast(read, options), kernel_outlook.of(read, options)))
    if as_json:
        documents = [{**result.to_json(), "kernel": outlook.to_json()} for _, result, outlook in found]
        print_json(documents[0] if len(notebooks) == 1 and documents else documents)
    for number, (read, result, outlook) in enumerate(found if not as_json else ()):
        if len(notebooks) > 1:
            print_text(f"{chr(10) * (number > 0)}{read.path}")
        _show(read, result, kernel_works=outlook.problem is None)
        _show_kernel(outlook)
    return 1 if any(result.refused for _, result, _ in found) else 0


def _show_kernel(outlook: KernelOutlook) -> None:
    print_text(f"Kernel: {outlook.sentence}")
    if outlook.problem:
        print_text("  A build would end before the notebook runs.")
    if outlook.hint:
        print_text(f"  -> {outlook.hint}")


def _show(notebook: Notebook, result: Forecast, *, kernel_works: bool) -> None:
    print_text(result.text())
    # What is merely kept from training stands above, under its name.
    found = [item for item in result.diagnostics if item.severity != "info" or item.code.startswith("N")]
    if found:
        print_text("")
        print_diagnostics(found, notebook.name, err=False)
    told = diagnostics.ordered(item for item in found if item.severity != "info")
    explain = f" What a code means: nb2prod explain {told[0].code}" if told else ""
    print_text(f"\n{result.verdict(kernel_works=kernel_works)}{explain}")
