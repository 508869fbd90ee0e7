"""`nb2prod retrain NAME`: train a model again, and propose the new one or give it its callers in stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, print_json, print_text
from nb2prod.cli.table import columns
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.release.attempts import Attempt, Step


@click.command(short_help="Train a model again; propose the new one.")
@click.argument("name", metavar="NAME", shell_complete=completion.deployments)
@click.option("--if-due", is_flag=True, help="Only where one of retrain.when is met, as a timer runs it.")
@click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="For the 'parameters' cell; may be given several times.",
)
@click.option("--show", is_flag=True, help="Show the attempts and the steps of the last; do nothing.")
@click.option("--dismiss", "why", metavar="WHY", help="Turn down what is proposed, with the reason.")
@common_options
def retrain(
    name: str,
    *,
    if_due: bool,
    parameters: tuple[tuple[str, str], ...],
    show: bool,
    why: str | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> int:
    """Run the notebook of a deployment again, build and prove it, and hold the new model against the live one on the same rows.

    What `retrain` in nb2prod.toml states decides when that is due, what the notebook is given, and whether the new release is proposed to its owner
    (the default) or gets its callers in stages. Exits with 1 where the attempt was stopped or failed.
    """
    from nb2prod.config import parameter_value
    from nb2prod.release import attempts

    if (show or why is not None) and (if_due or parameters or (show and why is not None)):
        raise InputError("--show and --dismiss stand alone", "Leave the others out.")
    if why is not None:
        return _told(attempts.dismiss(name, why), (), as_json=as_json)
    if show:
        return _shown(name, as_json=as_json)
    from nb2prod.cli.progress import shown
    from nb2prod.retraining import attempt

    wish = attempt.Wish({key: parameter_value(value) for key, value in parameters}, if_due)
    with shown() as progress:
        result = attempt.retrain(name, wish, progress)
    if as_json:
        print_json(result.to_json())
    elif result.attempt is None:
        print_text(result.due.sentence)
    else:
        print_text("\n".join(_lines(result.attempt, result.steps)))
    return 1 if result.came_to_nothing else 0


def _shown(name: str, *, as_json: bool) -> int:
    from nb2prod.release import attempts
    from nb2prod.watching import subject

    found = attempts.attempts(subject.find(name).name)
    if not found:
        if as_json:
            print_json({"attempts": [], "steps": []})
        else:
            print_text(f"{name} was never trained again: nb2prod retrain {name}")
        return 0
    steps = attempts.steps(found[-1])
    if as_json:
        print_json({"attempts": [item.to_json() for item in found], "steps": [item.to_json() for item in steps]})
        return 0
    rows = [(_minute(item.began), item.state, item.challenger or "", item.why) for item in found]
    print_text(
        "\n".join([*columns([("BEGAN (UTC)", "STATE", "RELEASE", "WHY"), *rows]), "", *_lines(found[-1], steps)])
    )
    return 0


def _told(item: Attempt, steps: tuple[Step, ...], *, as_json: bool) -> int:
    if as_json:
        print_json({"attempt": item.to_json()})
    else:
        print_text("\n".join(_lines(item, steps)))
    return 0


def _lines(item: Attempt, steps: tuple[Step, ...]) -> list[str]:
    """An attempt in lines: its steps, how it ended, and what can be done."""
    rows: list[tuple[Any, ...]] = [(step.name, step.detail) for step in steps]
    lines = columns(rows) if rows else []
    what = item.challenger or f"the new release in the place of {item.champion}"
    if item.state == "proposed":
        lines += ["", f"{what} is proposed in the place of {item.champion}."]
        lines += ["", "Next", f"  nb2prod diff {item.champion} {what}", f"  nb2prod deploy {what}"]
        return [*lines, f'  nb2prod retrain {item.name} --dismiss "why"']
    if item.state == "rolling out":
        return [*lines, "", f"{what} gets its callers in stages: nb2prod rollout {item.name}"]
    if item.state == "running":
        return [
            *lines,
            "",
            f"running since {_minute(item.began)} UTC, or cut off: nb2prod retrain {item.name} takes it up",
        ]
    return [*lines, "", f"{what}: {item.state}: {item.detail}"]


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")
