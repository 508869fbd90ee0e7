"""`nb2prod build NB`: run the notebook once, make the Bento, prove it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nb2prod import diagnostics
from nb2prod.cli import verdict
from nb2prod.cli.env import find_links_option, offline_option
from nb2prod.cli.output import common_options, note, print_diagnostics, print_json, print_text
from nb2prod.errors import InputError, Refused

if TYPE_CHECKING:
    from nb2prod.built import BuildResult
    from nb2prod.config import Options
    from nb2prod.notebook import Notebook


@click.command(short_help="Run the notebook, make a Bento, prove it.")
@click.argument("notebook", metavar="NB", type=click.Path(path_type=Path))
@click.option(
    "-p",
    "--parameter",
    "parameters",
    metavar="NAME VALUE",
    nargs=2,
    multiple=True,
    help="A value for the 'parameters' cell; may be given several times.",
)
@click.option("--name", help="Name of the Bento (default: from the file's name).")
@click.option("--target", multiple=True, metavar="COLUMN", help="A raw column that is the target.")
@click.option("--raw-table", metavar="VARIABLE", help="The variable that holds the raw table.")
@click.option("--prediction", metavar="VARIABLE", help="The variable that holds the prediction to serve.")
@click.option("--field", "fields", multiple=True, metavar="COLUMN", help="A raw column that requests have.")
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="CELL.LINE=CLASS",
    help="Class of the filter at that line: validity or training-only.",
)
@click.option("--kernel", metavar="NAME", help="The kernel to run on (default: the notebook's own).")
@click.option(
    "--serving",
    multiple=True,
    metavar="OPTION=VALUE",
    help="An option of the service, as latency_budget=0.5; may be given several times.",
)
@find_links_option
@offline_option
@click.option("--quick", is_flag=True, help="Prove a sample only, to try things out; such a release can't be deployed.")
@click.option(
    "--counterfactual-limit",
    type=float,
    metavar="SECONDS",
    help="Time that running the notebook again, with other values in some rows, may take (default: 120; 0: not at all).",
)
@click.option("--timeout", type=float, metavar="SECONDS", help="Time that one cell may take.")
@common_options
def build(notebook: Path, *, quick: bool, as_json: bool, debug: bool, **flags: Any) -> int:  # noqa: ARG001 (read by `main`)
    """Run the notebook, make a Bento of it and prove that it answers as the notebook did."""
    from nb2prod import config
    from nb2prod.cli.progress import shown
    from nb2prod.notebook import read

    try:
        parsed = read(notebook)
    except Refused as error:
        raise _named(error, notebook.name) from None
    options = config.load(parsed.path, _overrides(flags))
    _warn_early(parsed, options)
    from nb2prod.pipeline import build as run

    try:
        with shown() as progress:
            result = run(parsed.path, options, progress, quick=quick)
    except Refused as error:
        raise _named(error, notebook.name) from None
    if as_json:
        print_json(result.to_json())
    else:
        _print_result(result, parsed.name)
    return 0 if result.bento else 1


def _warn_early(notebook: Notebook, options: Options) -> None:
    """A run may take minutes: say beforehand what the forecast, which takes none, expects to stop it."""
    from nb2prod.forecast import forecast

    errors = [item for item in forecast(notebook, options).diagnostics if item.severity == "error"]
    if errors:
        found = ", ".join(f"{item.code} ({item.place})" if item.place else item.code for item in errors)
        note(
            f"The forecast expects this build to be refused: {found}. The recorded run decides; `nb2prod check` says more."
        )


def _print_result(result: BuildResult, notebook_name: str) -> None:
    if result.bento:
        print_text("\n".join(verdict.lines(result)))
        return
    from nb2prod.parity import terminal

    found = diagnostics.ordered(result.diagnostics)
    if found:
        print_diagnostics(found, notebook_name, err=True)
    where = f"{result.record / 'parity.html'}" if result.record else None
    note(f"\n{terminal.text(result.parity, width=120, report_path=where).rstrip()}")
    note("\nRefused: the proof found differences. No Bento was made.")


def _overrides(flags: dict[str, Any]) -> dict[str, Any]:
    """The flags as options; those not given are left out by `config.load`."""
    from nb2prod.config import parameter_value

    given = dict(flags)
    given["parameters"] = {name: parameter_value(value) for name, value in flags["parameters"]}
    given["filters"] = dict(_filter(text) for text in flags["filters"])
    given["serving"] = dict(_serving(text) for text in flags["serving"])
    return given


def _filter(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"\s*(\d+\.\d+)\s*=\s*(\S+)\s*", text)
    if not match:
        raise InputError(
            f"--filter {text!r} is not CELL.LINE=CLASS",
            "For example, for line 3 of cell 7: --filter 7.3=training-only",
        )
    return match.group(1), match.group(2)


def _serving(text: str) -> tuple[str, Any]:
    """An option of the service, its value written as in nb2prod.toml; a word needs no quotes."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise InputError(f"--serving {text!r} is not OPTION=VALUE", "For example: --serving latency_budget=0.5")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), value.strip()


def _named(error: Refused, name: str) -> Refused:
    """The same refusal, knowing its notebook's name for the message."""
    named = Refused(error.diagnostics, error.message, error.hint)
    named.notebook = name
    return named
