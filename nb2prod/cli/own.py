"""`nb2prod own NAME`: who answers for a model, set without building it again."""

from __future__ import annotations

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, print_json, print_text
from nb2prod.errors import InputError


@click.command(short_help="Set the owner and runbook without a build.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.option("--owner", metavar="WHO", help="Who answers for it; several with commas.")
@click.option("--runbook", metavar="URL", help="What to do when it misbehaves.")
@click.option(
    "--acknowledge-within",
    "hours",
    type=click.FloatRange(0, min_open=True),
    metavar="HOURS",
    help="After so long an alarm that nobody acknowledged is overdue (default: 72).",
)
@click.option("--as-built", is_flag=True, help="Back to what nb2prod.toml said when it was built.")
@common_options
def own(
    name: str,
    *,
    owner: str | None,
    runbook: str | None,
    hours: float | None,
    as_built: bool,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> None:
    """Set who answers for a deployment, or for all releases of a name. It holds until it is set anew."""
    from nb2prod.release import ownership

    if as_built and (owner is not None or runbook is not None or hours is not None):
        raise InputError("--as-built takes back what was set; nothing can be set with it", "Leave one of them out.")
    if as_built:
        found = ownership.take_back(name)
    else:
        found = ownership.change(name, owner=owner, runbook=runbook, acknowledge_hours=hours)
    if as_json:
        print_json(found.to_json())
        return
    if as_built:
        print_text(f"{name}: owner and runbook are those of its build again")
        return
    within = "" if found.acknowledge_hours is None else f"{found.acknowledge_hours:g} hours"
    facts = (("owner", found.owner), ("runbook", found.runbook), ("alarms to be acknowledged within", within))
    print_text(f"{name}: " + "; ".join(f"{what} {value}" for what, value in facts if value))
