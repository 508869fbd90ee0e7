"""`nb2prod parity TARGET`: prove a release again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod.cli.output import common_options, print_json, print_text
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.parity.target import Target


@click.command(short_help="Prove a release again.")
@click.argument("target", metavar="TARGET")
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed asks other batches.")
@click.option("--tolerance", type=click.FloatRange(0, 1), help="Relative difference of floats that counts as equal.")
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Header for a URL that wants one.")
@common_options
def parity(
    target: str,
    *,
    seed: int,
    tolerance: float | None,
    headers: tuple[str, ...],
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Prove again that a Bento (name, name:version, its folder, or the URL of a service) answers as its notebook did.

    The rows and the notebook's predictions come from the release record; the notebook is not run again.
    """
    from nb2prod.cli.progress import shown
    from nb2prod.parity import cases, prover, terminal
    from nb2prod.parity.equality import DEFAULT_TOLERANCE
    from nb2prod.parity.target import model_of
    from nb2prod.release import records

    proved = _target(target, headers)
    bento = model_of(proved)
    if bento is None:
        raise InputError(
            f"{target} does not say which Bento it serves, so its cases can't be found",
            "It must be made by `nb2prod build`.",
        )
    record = records.find(bento)
    known = cases.read(record.path("cases.json"))
    with shown() as progress:
        progress.stage(f"proving {bento}")
        allowed = DEFAULT_TOLERANCE if tolerance is None else tolerance
        report = prover.prove(proved, known, tolerance=allowed, progress=progress, seed=seed)
    if as_json:
        print_json(report.to_json())
    else:
        print_text(terminal.text(report, width=120).rstrip())
    return 0 if report.passed else 1


def _target(text: str, headers: tuple[str, ...]) -> Target:
    from nb2prod.bento import store
    from nb2prod.parity import target

    if "://" in text:
        return target.of_url(text, headers=dict(_header(item) for item in headers))
    if headers:
        raise InputError("--header is for a URL", f"{text} is served by the proof itself, without keys.")
    if Path(text).is_dir():
        return target.of_folder(Path(text))
    found = store.find(text)
    return target.of_folder(found.folder, found.tag)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise InputError(f"--header {text!r} is not 'NAME: VALUE'", "For example: --header 'X-API-Key: ...'")
    return name.strip(), value.strip()
