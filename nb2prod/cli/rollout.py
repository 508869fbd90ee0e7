"""`nb2prod rollout NAME`: a version that gets its callers in stages: how it goes, and what can be done to it by hand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from nb2prod.cli import completion
from nb2prod.cli.deployments import shown_notes
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.cli.table import columns
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.release.stages.book import Decided, Entry
    from nb2prod.rollouts.hands import Act

_POLL = 1.0
_ACTS: tuple[Act, ...] = ("advance", "abort", "pause", "resume")


@click.command(short_help="See a staged rollout; advance, abort or pause it.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.option("--advance", is_flag=True, help="On to the next stage, whatever the numbers say.")
@click.option("--abort", is_flag=True, help="Take the canary out; what is live stays live.")
@click.option("--pause", is_flag=True, help="Stay at this stage; harm withdraws the canary all the same.")
@click.option("--resume", is_flag=True, help="Go on after a pause.")
@click.option("--why", default="", metavar="TEXT", help="Recorded with what is done, and with you.")
@click.option("--follow", is_flag=True, help="Wait until it is over; exits with 1 unless the version is live then.")
@common_options
def rollout(name: str, *, why: str, follow: bool, as_json: bool, debug: bool, **flags: bool) -> int:  # noqa: ARG001
    """See the last staged rollout of a deployment, each decision with its numbers; or do something to it by hand.

    `nb2prod deploy NAME --stages shadow,1,10,50,100` begins one.
    """
    wanted = [act for act in _ACTS if flags[act]]
    if len(wanted) > 1 or (why and not wanted):
        raise InputError("one of --advance, --abort, --pause and --resume at a time, and --why with it")
    from nb2prod.release import deployments
    from nb2prod.release.stages import book

    if wanted:
        from nb2prod.cli.progress import shown
        from nb2prod.rollouts import hands

        with shown() as progress:
            hands.act(name, wanted[0], why, progress)
    item = deployments.status(name)
    while follow and item.rollout is not None:
        note(item.rollout.sentence)
        item = _next(name, item.rollout.sentence)
    entry = book.newest(name)
    decided = book.decisions(entry.id)
    if as_json:
        print_json(_document(entry, decided))
    else:
        print_text("\n".join(_lines(entry, decided)))
        shown_notes(item)
    return 1 if follow and entry.rollout.outcome != "promoted" else 0


def _next(name: str, told: str) -> Any:
    """The deployment once there is something else to say of its rollout."""
    from nb2prod.release import deployments

    while True:
        time.sleep(_POLL)
        item = deployments.status(name)
        if item.rollout is None or item.rollout.sentence != told:
            return item


def _document(entry: Entry, decided: tuple[Decided, ...]) -> dict[str, Any]:
    import msgspec

    return {"rollout": msgspec.to_builtins(entry.rollout), "decisions": [msgspec.to_builtins(item) for item in decided]}


def _lines(entry: Entry, decided: tuple[Decided, ...]) -> list[str]:
    known = entry.rollout
    end = f"{known.outcome}: {known.reason}" if known.outcome else f"at {known.stage_name}"
    head = f"{known.release}: {known.version} instead of {known.stable}, in the stages {known.plan.words}; {end}"
    rows = [(item.at[:19].replace("T", " "), item.what, item.stage, item.who, item.reason) for item in decided]
    return [head, *columns([("WHEN (UTC)", "WHAT", "STAGE", "WHO", ""), *rows]), *_rates(entry)]


def _rates(entry: Entry) -> list[str]:
    """What was counted in each stage."""
    kinds = [kind for tally in entry.rollout.tallies for kind in tally.events]
    if not entry.rollout.tallies:
        return []
    names = list(dict.fromkeys(kinds))
    rows = []
    for tally in entry.rollout.tallies:
        for who, total, at in (("canary", tally.canary, 0), ("stable", tally.all - tally.canary, 1)):
            counts = [tally.events.get(kind, (0, 0)) for kind in names]
            found = [str(count[0] if at == 0 else count[1] - count[0]) for count in counts]
            rows.append((f"{tally.share / 100:g} %", who, f"{total:,}", *found))
    return ["", *columns([("SHARE", "", "REQUESTS", *map(str.upper, names)), *rows])]
