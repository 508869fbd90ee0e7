"""`nb2prod deploy BENTO`: put a release to work on this machine."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Literal

import click

from nb2prod.cli import completion
from nb2prod.cli.deployments import document, line, shown_notes
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.rollouts.begin import StagedWish

_WITH_STAGES = ("hold", "give_up", "budget", "allow_shift", "max_changed")


@click.command(short_help="Put a release to work on this machine.")
@click.argument("bento", metavar="BENTO", required=False, shell_complete=completion.releases)
@click.option("--restore", is_flag=True, help="Start again what should run and does not (BENTO: one deployment).")
@click.option("--name", metavar="NAME", help="Name of the deployment (default: the Bento's).")
@click.option("--host", help="Address to listen on (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on (default: a free one from 3000 on).")
@click.option("--proxy/--no-proxy", default=None, help="Through HAProxy (default: where it is installed).")
@click.option("--container/--no-container", default=None, help="As a container of the image that containerize made.")
@click.option("--engine", help="docker or podman, for --container (default: the first that answers).")
@click.option("--run-option", "run_options", multiple=True, metavar="OPTION", help="For the engine's run.")
@click.option("--owner", metavar="WHO", help="Who answers for the deployment from now on.")
@click.option("--override-gate", metavar="WHY", help="Deploy it though a gate is not passed; recorded with you.")
@click.option("--without-owner", is_flag=True, help="Also a release that has no owner.")
@click.option("--stages", metavar="LIST", help="Give it its callers in stages, as in shadow,1,10,50,100 (percent).")
@click.option("--hold", metavar="TIME", help="With --stages: each stage lasts at least so long (default: 10m).")
@click.option(
    "--give-up", metavar="TIME", help="With --stages: a stage that is not over by then is given up (default: 1d)."
)
@click.option(
    "--budget", metavar="MS", type=click.FloatRange(0, min_open=True), help="With --stages: later answers are late."
)
@click.option(
    "--allow-shift",
    metavar="FACTOR",
    type=click.FloatRange(1),
    help="With --stages: how many times as frequent predictions may become (default: 1.25).",
)
@click.option(
    "--max-changed",
    metavar="SHARE",
    type=click.FloatRange(0, 1),
    help="With a shadow stage: rows answered otherwise at most.",
)
@click.option("--systemd", is_flag=True, help="Write a systemd user unit that brings it back after a reboot.")
@click.option("--timeout", type=float, default=180.0, show_default=True, help="Seconds to become ready.")
@common_options
def deploy(bento: str | None, *, restore: bool, systemd: bool, as_json: bool, debug: bool, **flags: Any) -> None:  # noqa: ARG001
    """Deploy a release (name, its newest; name:version; name:previous) on this machine, or bring back what is gone.

    A new version is started beside the one that is live, proved, and only then given the callers. What is live
    stays so until that is done, and whatever happens to this command. With --stages it gets a share of the callers that
    grows while nothing speaks against it, and is withdrawn where something does: see `nb2prod rollout`.
    """
    if restore:
        _restore(bento, flags, systemd=systemd, as_json=as_json)
        return
    if bento is None:
        raise InputError("deploy what? BENTO is missing", "`nb2prod list` names the releases.")
    from nb2prod.cli.progress import shown
    from nb2prod.release import deployments

    wish = deployments.Wish(
        name=flags["name"],
        host=flags["host"],
        port=flags["port"],
        proxied=flags["proxy"],
        container=_container(flags),
        without_owner=flags["without_owner"],
        owner=flags["owner"],
        override_gate=flags["override_gate"],
    )
    staged = _staged(flags)
    with shown() as progress:
        if staged is None:
            item = deployments.deploy(bento, wish, timeout=flags["timeout"], progress=progress)
        else:
            from nb2prod.rollouts import begin

            item = begin.begin(bento, wish, staged, timeout=flags["timeout"], progress=progress)
    unit = _unit(item.name) if systemd else None
    if as_json:
        print_json({**item.to_json(), "unit": unit})
        return
    print_text(f"{item.bento} is {item.state} at {item.url}")
    shown_notes(item)


def _staged(flags: dict[str, Any]) -> StagedWish | None:
    """How a staged rollout is asked for; None where none is. Raises `InputError`."""
    given = [name for name in _WITH_STAGES if flags[name] is not None]
    if flags["stages"] is None:
        if given:
            raise InputError(
                f"--{given[0].replace('_', '-')} is for a staged rollout", "Add --stages shadow,1,10,50,100."
            )
        return None
    from nb2prod.durations import parse_duration
    from nb2prod.release.stages.plan import parse_stages
    from nb2prod.rollouts.begin import StagedWish

    return StagedWish(
        parse_stages(flags["stages"]),
        hold=parse_duration(flags["hold"] or "10m", "--hold"),
        deadline=parse_duration(flags["give_up"] or "1d", "--give-up"),
        budget=None if flags["budget"] is None else flags["budget"] / 1000,
        allowed_shift=flags["allow_shift"] or 1.25,
        max_changed=flags["max_changed"],
    )


def _restore(name: str | None, flags: dict[str, Any], *, systemd: bool, as_json: bool) -> None:
    given = [
        f"--{key.replace('_', '-')}"
        for key in ("name", "host", "port", "proxy", "owner", "override_gate", "stages", *_WITH_STAGES)
        if flags[key] is not None
    ]
    if given or systemd:
        raise InputError(
            f"--restore brings a deployment back as it was; {', '.join(given) or '--systemd'} can't be given with it"
        )
    from nb2prod.cli.progress import shown
    from nb2prod.release import deployments

    with shown() as progress:
        items = deployments.restore(name, timeout=flags["timeout"], progress=progress)
    if as_json:
        print_json(document(items))
        return
    if not items:
        note("There are no deployments. Make one: nb2prod deploy BENTO")
    for item in items:
        print_text(line(item))


def _container(flags: dict[str, Any]) -> dict[str, Any] | Literal[False] | None:
    if not flags["container"]:
        if flags["engine"] or flags["run_options"]:
            raise InputError("--engine and --run-option are for a container", "Add --container.")
        return None if flags["container"] is None else False
    options = [word for text in flags["run_options"] for word in shlex.split(text)]
    return {"engine": flags["engine"], "options": options}


def _unit(name: str) -> str:
    from nb2prod.release.running import systemd

    path = systemd.write(name)
    note(
        f"Wrote {path}\n"
        f"Switch it on: systemctl --user daemon-reload && systemctl --user enable nb2prod-{name}\n"
        "To have it start before you log in: loginctl enable-linger"
    )
    return str(path)
