"""`nb2prod schedule NAME --systemd|--cron`: what has a deployment watched by itself."""

from __future__ import annotations

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.errors import InputError
from nb2prod.release.running.schedules import EVERY


@click.command(short_help="Print what runs `watch --check` again and again.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.option("--systemd", "system", flag_value="systemd", help="A service and a timer of the user's systemd.")
@click.option("--cron", "system", flag_value="cron", help="A line for a crontab.")
@click.option("--every", type=click.Choice(EVERY), default="daily", show_default=True, help="How often.")
@click.option("--webhook", metavar="URL", help="POST each new alarm there, as JSON.")
@common_options
def schedule(
    name: str,
    *,
    system: str | None,
    every: str,
    webhook: str | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> None:
    """Print what has a deployment (or a served release) watched: `nb2prod watch NAME --check`, hourly, daily or weekly.

    Nothing is installed. An alarm that nobody acknowledged makes the run fail.
    """
    from nb2prod.release.running import schedules
    from nb2prod.watching import subject

    if system is None:
        raise InputError("schedule by what?", "Give --systemd or --cron.")
    subject.find(name)
    if system == "cron":
        line = schedules.cron(name, every, webhook)
        if as_json:
            print_json({"cron": line})
        else:
            print_text(line)
            note("Add it to your crontab: crontab -e")
        return
    files = schedules.systemd(name, every, webhook)
    if as_json:
        print_json({"files": {item.name: item.text for item in files}})
        return
    print_text("\n".join(item.text for item in files).rstrip("\n"))
    note(
        f"Put both into ~/.config/systemd/user, then: systemctl --user daemon-reload && "
        f"systemctl --user enable --now {files[1].name}"
    )
