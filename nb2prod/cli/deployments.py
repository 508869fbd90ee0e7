"""`nb2prod status`, `stop`, `restart`, `rollback` and `logs`: what was deployed on this machine."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.cli.table import columns
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.release.deployment import Deployment

_HEAD = (
    "NAME", "VERSION", "STATE", "UPTIME", "HEALTH", "P50", "P99", "REQUESTS", "ERRORS", "PARITY", "OWNER", "URL",
)  # fmt: skip


@click.command(short_help="Show how the deployments do.")
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=completion.deployments)
@click.option("--watch", is_flag=True, help="Show it again and again, until interrupted.")
@click.option("--every", type=click.FloatRange(0.2), default=2.0, show_default=True, help="Seconds between two looks.")
@common_options
def status(names: tuple[str, ...], *, watch: bool, every: float, as_json: bool, debug: bool) -> int:  # noqa: ARG001
    """Show the deployments of this machine: asked of their processes now, not of a record.

    Exits with 1 where an alarm is overdue: nobody acknowledged it within the time that `own --acknowledge-within` states.
    """
    if not watch:
        found = _found(names)
        if as_json:
            print_json(document(found))
        elif found:
            print_text(table(found))
        else:
            note("There are no deployments. Make one: nb2prod deploy BENTO")
        return 1 if any(item.overdue_alarms for item in found) else 0
    with contextlib.suppress(KeyboardInterrupt):  # the way to end it, not a failure
        _watch(names, every, as_json=as_json)
    return 0


@click.command(short_help="End a deployment.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.option("--until-restore", is_flag=True, help="`deploy --restore` starts it again: for a machine that goes down.")
@click.option("--forget", is_flag=True, help="Remove all that is known of it: port, history, copies of its Bentos.")
@common_options
def stop(name: str, *, until_restore: bool, forget: bool, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """End a deployment once its last requests are answered. `deploy` or `restart` bring it back at its port."""
    from nb2prod.cli.progress import shown
    from nb2prod.release import deployments

    if until_restore and forget:
        raise InputError("--until-restore and --forget exclude each other", "Leave one of the two out.")
    with shown() as progress:
        item = deployments.stop(name, until_restore=until_restore, forget=forget, progress=progress)
    _told(item, as_json=as_json)


@click.command(short_help="Start a deployment anew.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@common_options
def restart(name: str, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Start the live version anew: through HAProxy without a gap, otherwise with a short one."""
    from nb2prod.cli.progress import shown
    from nb2prod.release import deployments

    with shown() as progress:
        item = deployments.restart(name, progress=progress)
    _told(item, as_json=as_json)


@click.command(short_help="Bring the previous release back.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@common_options
def rollback(name: str, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Bring the release that was live before back to work. Done twice, it is where it was."""
    from nb2prod.cli.progress import shown
    from nb2prod.release import deployments

    with shown() as progress:
        item = deployments.rollback(name, progress=progress)
    _told(item, as_json=as_json)


@click.command(short_help="Show what a deployment's server wrote.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.option("-n", "--lines", type=click.IntRange(0), default=100, show_default=True, help="So many of the last.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until interrupted.")
@click.option("--history", is_flag=True, help="What was done to the deployment, instead.")
@common_options
def logs(name: str, *, lines: int, follow: bool, history: bool, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Show the last lines that the live server wrote, or with --history what was done to the deployment."""
    from nb2prod.release import deployments

    if history:
        if follow:
            raise InputError("--history has an end; it can't be followed", "Leave one of the two out.")
        _print_history(deployments.history(name)[-lines:] if lines else (), as_json=as_json)
        return
    try:
        for text in deployments.logs(name, lines=lines, follow=follow):
            click.echo(json.dumps({"line": text}, ensure_ascii=False) if as_json else text)
    except KeyboardInterrupt:
        if not follow:
            raise


def document(items: Iterable[Deployment]) -> dict[str, Any]:
    """The document of `status --json`."""
    return {"deployments": [item.to_json() for item in items]}


def table(items: Sequence[Deployment]) -> str:
    """The deployments as aligned lines; below, what their owners should know."""
    rows = columns([_HEAD, *map(_row, items)])
    notes = [f"{item.name}: {text}" for item in items for text in item.notes]
    return "\n".join([*rows, *([""] if notes else []), *notes])


def line(item: Deployment) -> str:
    """The deployment in a sentence."""
    return f"{item.name}: {item.version or 'nothing'} is {item.state}" + (
        f" at {item.url}" if item.state in ("serving", "degraded") else ""
    )


def shown_notes(item: Deployment) -> None:
    """What its owner should know, on standard error."""
    for text in item.notes:
        note(f"  {text}")


def _told(item: Deployment, *, as_json: bool) -> None:
    if as_json:
        print_json(item.to_json())
        return
    print_text(line(item))
    shown_notes(item)


def _found(names: Sequence[str]) -> tuple[Deployment, ...]:
    from nb2prod.release import deployments

    return tuple(map(deployments.status, names)) if names else deployments.all_deployments()


def _watch(names: Sequence[str], every: float, *, as_json: bool) -> None:
    if as_json:
        while True:
            click.echo(json.dumps(document(_found(names)), ensure_ascii=False))
            time.sleep(every)
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(), auto_refresh=False, vertical_overflow="visible") as live:
        while True:
            found = _found(names)
            live.update(Text(table(found) if found else "There are no deployments.", no_wrap=True), refresh=True)
            time.sleep(every)


def _print_history(events: Sequence[Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"events": [{"at": e.at, "what": e.what, "version": e.version, "detail": e.detail} for e in events]})
        return
    rows = [(e.at[:19].replace("T", " "), e.what, e.version or "", e.detail) for e in events]
    if rows:
        print_text("\n".join(columns([("WHEN (UTC)", "WHAT", "VERSION", ""), *rows])))


def _row(item: Deployment) -> tuple[str, ...]:
    return (
        item.name,
        item.version or "-",
        item.state,
        duration(item.uptime),
        item.health,
        _milliseconds(item.p50 if item.has_percentiles else None),
        _milliseconds(item.p99 if item.has_percentiles else None),
        _count(item.requests),
        _count(item.errors),
        _parity(item.parity),
        item.owner or "nobody",
        item.url,
    )


def duration(seconds: float | None) -> str:
    """Seconds as `45s`, `12m`, `3h 20m` or `4d 2h`."""
    if seconds is None:
        return "-"
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if minutes < 1:
        return f"{int(seconds)}s"
    if hours < 1:
        return f"{minutes}m"
    return f"{hours}h {minutes % 60}m" if days < 1 else f"{days}d {hours % 24}h"


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds:.3g}s" if seconds >= 1 else f"{seconds * 1000:.3g}ms"


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _parity(summary: Any) -> str:
    if not summary:
        return "unknown"
    if summary.get("sample"):
        return "sample"
    return "proved" if summary.get("passed") else "differs"
