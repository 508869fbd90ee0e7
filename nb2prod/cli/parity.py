"""`nb2prod parity TARGET`: prove a release again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, print_json, print_text
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.parity.cases import Cases
    from nb2prod.parity.target import Target
    from nb2prod.runtime.equality import Tolerance


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
    from nb2prod.cli.progress import shown
    from nb2prod.parity import cases, prover, terminal
    from nb2prod.release import records

    proved = _target(target, headers, key)
    record = records.find(release or _own(proved, target))
    known = cases.read(record.path("cases.json"))
    allowed = _tolerance(tolerances, known) if tolerances else records.tolerance(record, known)
    with shown() as progress:
        progress.stage(f"proving {proved.name} by the cases of {record.name}:{record.version}")
        report = prover.prove(proved, known, tolerance=allowed, progress=progress, seed=seed)
    if as_json:
        print_json(report.to_json())
    else:
        print_text(terminal.text(report, width=120).rstrip())
    return 0 if report.passed else 1


def _own(proved: Target, text: str) -> str:
    """The release that the target itself says that it serves."""
    from nb2prod.parity.target import model_of

    bento = model_of(proved)
    if bento is None:
        raise InputError(
            f"{text} does not say which Bento it serves, so its cases can't be found",
            "Name the release: --release NAME:VERSION (`nb2prod list` shows them).",
        )
    return bento


def _tolerance(given: tuple[str, ...], cases: Cases) -> Tolerance:
    from nb2prod.parity.cases import tolerance_of

    pairs = dict(_pair(text) for text in given)
    return tolerance_of(cases, pairs.pop("", None), pairs)


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


def _target(text: str, headers: tuple[str, ...], key: str | None) -> Target:
    from nb2prod.bento import store
    from nb2prod.parity import target

    if "://" in text:
        given = dict(_header(item) for item in headers)
        return target.of_url(text, headers={**given, **({"X-API-Key": key} if key else {})})
    if Path(text).is_dir():
        _check_no_headers(text, headers)
        return target.of_folder(Path(text))
    try:
        found = store.find(text)
    except InputError:
        from nb2prod.release.images import engine

        address = engine.of_container(text)
        if address is None:
            raise
        return _target(address, headers, key)
    _check_no_headers(text, headers)
    return target.of_folder(found.folder, found.tag)


def _check_no_headers(text: str, headers: tuple[str, ...]) -> None:
    if headers:
        raise InputError("--header is for a URL", f"{text} is served by the proof itself, without keys.")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise InputError(f"--header {text!r} is not 'NAME: VALUE'", "For example: --header 'X-API-Key: ...'")
    return name.strip(), value.strip()
