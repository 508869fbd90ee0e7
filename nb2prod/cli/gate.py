"""`nb2prod gate NAME` and `nb2prod promote NAME --to production`: what a release must show before it goes on."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.cli.table import columns
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.release.gates.check import GateReport
    from nb2prod.release.gates.result import GateResult
    from nb2prod.release.record import ReleaseRecord

_COLOURS = {"passed": "green", "failed": "red", "undecided": "yellow"}


@click.command(short_help="Hold a release against its gates.")
@click.argument("bento", metavar="BENTO", shell_complete=completion.releases)
@click.option("--environment", metavar="ENV", help="With the gates of this environment too.")
@click.option(
    "--against", metavar="BENTO", help="What vs_live and changed_answers compare with (default: what is live)."
)
@click.option(
    "--container", is_flag=True, help="Ask its built image: the container is proved, and its latency measured."
)
@click.option("--engine", help="docker or podman, for --container (default: the first that answers).")
@click.option("--run-option", "run_options", multiple=True, metavar="OPTION", help="For the engine's run.")
@common_options
def gate(  # noqa: PLR0913 - an option each
    bento: str,
    *,
    environment: str | None,
    against: str | None,
    container: bool,
    engine: str | None,
    run_options: tuple[str, ...],
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> int:
    """Hold a release against the gates of nb2prod.toml: what is wanted, what was found, whether it passes.

    Exits with 1 where a gate is not passed, also where what is there can't tell.
    """
    from nb2prod.release import records
    from nb2prod.release.gates import check, decisions, in_image

    if not container and (engine or run_options):
        raise InputError("--engine and --run-option are for a container", "Add --container.")
    image = in_image.Image(engine, tuple(w for text in run_options for w in shlex.split(text))) if container else None
    release = records.find(bento)
    stated = check.stated(release)
    if environment is not None and environment not in stated.environments:
        named = ", ".join(stated.environments) or "none"
        raise InputError(f"{stated.where} states no environment {environment!r}", f"It states: {named}.")
    held = None if environment is None else decisions.environments(release.name).get(environment)
    report = check.check(release, _compared(release, against, environment, held), environment, image)
    if as_json:
        print_json(report.to_json())
    elif report.results:
        print_text("\n".join(table(report)))
    else:
        note(f"{report.where} states no gates for {release.name}: nothing was checked")
    return 0 if report.passed else 1


@click.command(short_help="Let an environment have a release that passes its gates.")
@click.argument("bento", metavar="BENTO", shell_complete=completion.releases)
@click.option("--to", "environment", metavar="ENV", required=True, help="As in staging or production.")
@click.option("--override-gate", "why", metavar="WHY", help="Let it in though a gate is not passed; recorded with you.")
@common_options
def promote(bento: str, *, environment: str, why: str | None, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Let an environment have a release; NAME:ENV names it from then on, as in `nb2prod deploy NAME:production`.

    Of a name alone, what the environment before has moves on. Environments are those of nb2prod.toml in its order, else dev, staging, production.
    """
    from nb2prod.release.gates import environments

    done = environments.promote(bento, environment, override=why)
    if as_json:
        print_json({**asdict(done), "report": done.report.to_json()})
        return
    if done.report.results:
        print_text("\n".join([*table(done.report), ""]))
    instead = f" instead of {done.before}" if done.before not in (None, done.release) else ""
    print_text(
        f"{done.environment} has {done.release}{instead}" + (f"; overridden: {done.override}" if done.override else "")
    )


def table(report: GateReport) -> list[str]:
    """The gates as aligned lines."""
    rows = [(item.gate, item.wanted, _found(item), item.outcome, item.note) for item in report.results]
    head, *lines = columns([("GATE", "WANTED", "FOUND (95 %)", "", ""), *rows])
    against = f", against {report.against}" if report.against else ""
    coloured = [click.style(line, fg=_COLOURS[item.outcome]) for line, item in zip(lines, report.results, strict=True)]
    return [f"{report.release}{against}, gates of {report.where}", head, *coloured]


def _found(item: GateResult) -> str:
    if item.value is None:
        return "-"
    if not item.wanted.startswith((">", "<")):
        return "true" if item.value else "false"
    span = "" if item.low is None or item.high is None else f" ({item.low:.4g} to {item.high:.4g})"
    return f"{item.value:.4g}{span}"


def _compared(
    release: ReleaseRecord, against: str | None, environment: str | None, held: str | None
) -> ReleaseRecord | None:
    """What is named, what the environment has, or what is live; None where there is none."""
    from nb2prod.release import records
    from nb2prod.release.gates import check

    if against is not None:
        return records.find(against)
    if environment is not None:
        return None if held is None else records.find(f"{release.name}:{held}")
    return check.live(release.name)
