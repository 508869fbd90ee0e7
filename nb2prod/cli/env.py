"""`nb2prod env`: the environments in which services are proved and served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.cli.table import columns
from nb2prod.errors import InputError

if TYPE_CHECKING:
    from nb2prod.environments.lock import Settled
    from nb2prod.release.environments import KeptEnvironment

_MEGABYTE = 1e6

find_links_option = click.option(
    "--find-links",
    multiple=True,
    metavar="FOLDER",
    help="A folder of wheels that packages of the served environment may come from; may be given several times.",
)
offline_option = click.option(
    "--offline", is_flag=True, default=None, help="Ask no package index: what was fetched before must do."
)
"""None where it is not given, so that the file's value stands."""


@click.group(short_help="The environments that services are served in.")
def env() -> None:
    """The environments in which services are proved and served: list, make, fetch and remove them.

    Each has the exact versions of a notebook's kernel, and what a service needs besides.
    """


@env.command("list", short_help="List the environments that were made.")
@common_options
def list_(*, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """List the environments that were made: their Python, packages, size on the disk, and the Bentos that they serve."""
    from nb2prod.release import environments

    found = environments.kept()
    if as_json:
        print_json({"environments": [item.to_json() for item in found]})
        return
    if not found:
        note("No environment was made yet: builds make them for kernels of other environments than nb2prod's own.")
        return
    rows = [_row(item) for item in found]
    print_text("\n".join(columns([("KEY", "PYTHON", "PACKAGES", "MB", "USED", "STATE", "SERVES"), *rows])))


def _row(item: KeptEnvironment) -> tuple[str, ...]:
    state = "as made" if item.intact else "changed"
    return (
        item.key,
        item.python,
        str(item.packages),
        f"{item.bytes / _MEGABYTE:.0f}",
        item.used[:10],
        state,
        ", ".join(item.serves) or "-",
    )


@env.command("remove", short_help="Remove environments.")
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option("--unused", is_flag=True, help="Those that no Bento of the store or of a deployment needs.")
@common_options
def remove(keys: tuple[str, ...], *, unused: bool, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Remove environments by their keys, or all that nothing needs. What is needed again is made again."""
    from nb2prod.release import environments

    if bool(keys) == unused:
        raise InputError("name environments, or say --unused", "`nb2prod env list` shows the keys.")
    gone = environments.remove_unused() if unused else environments.remove(keys)
    if as_json:
        print_json({"removed": list(gone)})
    else:
        print_text("\n".join(f"Removed {key}" for key in gone) or "There was nothing to remove.")


@env.command("make", short_help="Make the environment of a notebook or a Bento beforehand.")
@click.argument("target", metavar="NB|BENTO")
@click.option("--kernel", metavar="NAME", help="The kernel of the notebook (default: its own).")
@find_links_option
@offline_option
@common_options
def make(
    target: str,
    *,
    kernel: str | None,
    find_links: tuple[str, ...],
    offline: bool | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> None:
    """Make the environment that a notebook's service is tried in, or that a Bento is served in; nothing is run."""
    from nb2prod.cli.progress import shown
    from nb2prod.environments.uv import Sources
    from nb2prod.release import environments

    with shown() as progress:
        progress.stage("environment")
        made = environments.make(target, kernel, Sources(_folders(find_links), bool(offline)))
    if as_json:
        print_json({"python": str(made.python), "own": made.own, "key": made.key})
    elif made.own:
        print_text("It is served in the environment that nb2prod runs in: none has to be made.")
    else:
        print_text(f"Made: {made.key} ({made.python})")


@env.command("fetch", short_help="Collect an environment's packages in a folder, for a machine without network.")
@click.argument("target", metavar="NB|BENTO|FILE")
@click.option("--to", "folder", metavar="FOLDER", default="wheels", show_default=True, type=click.Path(path_type=Path))
@click.option("--python", metavar="VERSION", help="The Python of a requirements FILE, as 3.12.")
@click.option("--kernel", metavar="NAME", help="The kernel of a notebook (default: its own).")
@common_options
def fetch(target: str, *, folder: Path, python: str | None, kernel: str | None, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Collect the wheels of an environment in a folder, for a machine without a network.

    FILE is the list of requirements that a build without a network names. There, `nb2prod build --find-links FOLDER` takes the folder.
    """
    from nb2prod.cli.progress import shown
    from nb2prod.release import environments

    with shown() as progress:
        progress.stage("fetch")
        settled = environments.settled(target, kernel, python)
        fetched = environments.fetch(settled, folder)
    if as_json:
        print_json({"folder": str(folder.absolute()), "wheels": [path.name for path in fetched]})
    else:
        _print_fetched(settled, fetched, folder)


def _print_fetched(settled: Settled, fetched: tuple[Path, ...], folder: Path) -> None:
    size = sum(path.stat().st_size for path in fetched)
    print_text(f"{len(fetched)} packages for Python {settled.python} in {folder}, {size / _MEGABYTE:.0f} MB")
    note(f"On the machine without a network: nb2prod build NB --offline --find-links {folder}")


def _folders(given: tuple[str, ...]) -> tuple[str, ...]:
    from nb2prod import config

    return config.folders(given, "--find-links")
