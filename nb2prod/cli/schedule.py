"""`nb2prod schedule NAME`: what has a deployment watched, and its model trained again, by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.errors import InputError
from nb2prod.release.running.schedules import EVERY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nb2prod.release.running.schedules import File, Job

_SYSTEMS = ("systemd", "cron", "github", "airflow", "kubernetes")


@click.command(short_help="Print what runs `watch --check` (and `retrain --if-due`) again and again.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.option("--systemd", "system", flag_value="systemd", help="Services and timers of the user's systemd.")
@click.option("--cron", "system", flag_value="cron", help="Lines for a crontab.")
@click.option("--github", "system", flag_value="github", help="A workflow for a runner of GitHub on this machine.")
@click.option("--airflow", "system", flag_value="airflow", help="A DAG for Airflow 2 or 3.")
@click.option("--kubernetes", "system", flag_value="kubernetes", help="CronJobs; takes --image and --claim.")
@click.option("--retrain", "retraining", is_flag=True, help="Also train the model again where that is due.")
@click.option("--every", type=click.Choice(EVERY), default="daily", show_default=True, help="How often.")
@click.option("--webhook", metavar="URL", help="POST each new alarm there, as JSON.")
@click.option(
    "--image", metavar="IMAGE", help="With --kubernetes: an image that has nb2prod and the notebook's kernel."
)
@click.option(
    "--claim", metavar="NAME", help="With --kubernetes: the volume claim of nb2prod's home (default: nb2prod-home)."
)
@common_options
def schedule(  # noqa: PLR0913 - an option each
    name: str,
    *,
    system: str | None,
    retraining: bool,
    every: str,
    webhook: str | None,
    image: str | None,
    claim: str | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001 (read by `main`)
) -> None:
    """Print what has a deployment (or a served release) watched, hourly, daily or weekly: `nb2prod watch NAME --check`; with --retrain also `nb2prod retrain NAME --if-due`.

    Nothing is installed. An alarm that nobody acknowledged makes the run fail.
    """
    from nb2prod.release.running import schedules
    from nb2prod.watching import subject

    if system is None:
        raise InputError("schedule by what?", f"Give one of {', '.join(f'--{word}' for word in _SYSTEMS)}.")
    if system == "kubernetes" and image is None:
        raise InputError(
            "--kubernetes needs an image that has nb2prod and the notebook's kernel",
            "A service's own image has neither. Name one: --image registry.example.org/notebooks:1",
        )
    if system != "kubernetes" and (image or claim):
        raise InputError("--image and --claim are for --kubernetes", "Leave them out.")
    subject.find(name)
    wanted = schedules.jobs(name, every, webhook, retraining=retraining)
    if system == "cron":
        line = schedules.cron(wanted)
        if as_json:
            print_json({"cron": line})
        else:
            print_text(line)
            note("Add it to your crontab: crontab -e")
        return
    files = _files(system, wanted, image, claim)
    if as_json:
        print_json({"files": {item.name: item.text for item in files}})
        return
    print_text("\n".join(item.text for item in files).rstrip("\n"))
    note(_next_step(system, files))


def _files(system: str, wanted: Sequence[Job], image: str | None, claim: str | None) -> Sequence[File]:
    from nb2prod.release.running import schedules

    if system == "systemd":
        return schedules.systemd(wanted)
    if system == "github":
        return [schedules.github(wanted)]
    if system == "airflow":
        return [schedules.airflow(wanted)]
    return [schedules.kubernetes(wanted, str(image), claim or "nb2prod-home")]


def _next_step(system: str, files: Sequence[File]) -> str:
    timers = " ".join(item.name for item in files if item.name.endswith(".timer"))
    return {
        "systemd": f"Put them into ~/.config/systemd/user, then: systemctl --user daemon-reload && systemctl --user enable --now {timers}",
        "github": f"Put it into .github/workflows/{files[0].name}; the runner is to run as you, on this machine.",
        "airflow": f"Put it into Airflow's DAGs folder as {files[0].name}.",
        "kubernetes": f"kubectl apply -f {files[0].name}; the volume is to hold nb2prod's home and the notebooks, at the paths that they were built from.",
    }[system]
