"""`nb2prod open NAME`: the page of a deployment, or the report or the card of a release, in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from nb2prod.cli import completion
from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.errors import InputError

_ANSWERING = ("serving", "degraded")
_REPORT = "parity.html"
_CARD = "card.html"


@click.command("open", short_help="Open a model's page, report or card.")
@click.argument("name", metavar="NAME", shell_complete=completion.releases)
@click.option("--report", "which", flag_value="report", help="The report of the proof.")
@click.option(
    "--card", "which", flag_value="card", help="The model card: fields, metrics, what is kept, how it is served."
)
@click.option("--page", "which", flag_value="page", help="The page of the running deployment, where one can ask it.")
@click.option("--print", "only_print", is_flag=True, help="Print the address, and start no browser.")
@common_options
def open_in_browser(name: str, *, which: str | None, only_print: bool, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Open the page of the deployment NAME in the browser; where none is running, the report of the release NAME."""
    address, what = _address(name, which)
    opened = False if only_print or as_json else _opened(address)
    if as_json:
        print_json({"name": name, "what": what, "url": address})
        return
    print_text(address)
    if not opened and not only_print:
        note("No browser could be started here: open that address in one.")


def _address(name: str, which: str | None) -> tuple[str, str]:
    """Where to look, and whether that is a `page`, a `report` or a `card`."""
    if which == "card":
        from nb2prod.release import records

        return records.find(name).path(_CARD).absolute().as_uri(), "card"
    page = None if which == "report" else _page(name)
    if page is not None:
        return page, "page"
    if which == "page":
        raise InputError(
            f"no deployment {name!r} is running, so there is no page of it",
            f"Put it to work: nb2prod deploy {name}. The report of its proof: nb2prod open {name} --report",
        )
    refused = _refused(name)
    if refused is not None:
        return refused.as_uri(), "report"
    from nb2prod.release import records

    return records.find(name).path(_REPORT).absolute().as_uri(), "report"


def _page(name: str) -> str | None:
    from nb2prod.release import deployments

    wanted, _, version = name.partition(":")
    for item in deployments.all_deployments():
        if item.name == wanted and item.state in _ANSWERING and (item.version or "").startswith(version):
            return f"{item.url.rstrip('/')}/"
    return None


def _refused(name: str) -> Path | None:
    """The report of a proof that failed and left no release of this name."""
    from nb2prod import home

    path = home.home() / "refused" / name / _REPORT
    return path if path.is_file() and not (home.releases() / name).is_dir() else None


def _opened(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
