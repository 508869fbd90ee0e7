"""`nb2prod parity TARGET`: prove a release again."""

from __future__ import annotations

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, print_json, print_text
from nb2prod.errors import InputError


@click.command(short_help="Prove a release again.")
@click.argument("target", metavar="TARGET", shell_complete=completion.releases)
@click.option(
    "--release", metavar="NAME:VERSION", help="The release whose cases are asked; by default the target's own."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed asks other batches.")
@click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="[OUTPUT=]NUMBER",
    help="Relative difference of floats that counts as equal; by default what the release was proved with.",
)
@click.option(
    "--key", envvar="NB2PROD_KEY", metavar="KEY", help="API key for a URL that wants one; better in NB2PROD_KEY."
)
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Another header for a URL.")
@common_options
def parity(  # noqa: PLR0913 - an option each
    target: str,
    *,
    release: str | None,
    seed: int,
    tolerances: tuple[str, ...],
    key: str | None,
    headers: tuple[str, ...],
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Prove again that a Bento answers as its notebook did: name, name:version, its folder, a URL or a container.

    The rows and the notebook's predictions come from the release record; the notebook is not run again.
    """
    from nb2prod import proving
    from nb2prod.cli.progress import shown
    from nb2prod.parity import terminal

    allowed = dict(_pair(text) for text in tolerances)
    wish = proving.Wish(
        release=release,
        key=key,
        headers=dict(_header(item) for item in headers),
        tolerance=allowed.pop("", None),
        tolerances=allowed,
        seed=seed,
    )
    with shown() as progress:
        report = proving.prove(target, wish, progress)
    if as_json:
        print_json(report.to_json())
    else:
        print_text(terminal.text(report, width=120).rstrip())
    return 0 if report.passed else 1


def _pair(text: str) -> tuple[str, float]:
    output, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise InputError(
            f"--tolerance {text!r} is no tolerance", "For example: --tolerance 1e-6, or --tolerance price=1e-6"
        )
    return output, value


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise InputError(f"--header {text!r} is not 'NAME: VALUE'", "For example: --header 'X-API-Key: ...'")
    return name.strip(), value.strip()
