"""`nb2prod explain CODE`: what a code means and what to write instead."""

from __future__ import annotations

import sys

import click
from click.shell_completion import CompletionItem

from nb2prod.cli.output import common_options, note, print_json, print_text
from nb2prod.cli.table import columns


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from nb2prod import pages

    found = pages.entries()
    return [
        CompletionItem(name, help=item.title)
        for name, item in found.items()
        if name.lower().startswith(incomplete.lower()) and (not item.anchor or incomplete or name.isupper())
    ]


@click.command(short_help="Explain a code, or a topic.")
@click.argument("name", metavar="[CODE]", required=False, shell_complete=_complete)
@common_options
def explain(name: str | None, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (read by `main`)
    """Explain a code that check or build named (F5, N1), or a topic (service, deploying); without CODE, list them."""
    from nb2prod import pages

    if name is None:
        _list(as_json=as_json)
        return
    entry = pages.find(name)
    if as_json:
        print_json({"name": entry.name, "title": entry.title, "text": entry.text, "page": entry.page, "url": entry.url})
        return
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.markdown import Markdown

        Console(width=min(Console().width, 100)).print(Markdown(entry.text, code_theme="ansi_dark", hyperlinks=False))
    else:
        print_text(entry.text)
    if entry.url:
        note(f"\nOn the web: {entry.url}")


def _list(*, as_json: bool) -> None:
    from nb2prod import pages
    from nb2prod.diagnostics import TITLES

    topics = pages.topics()
    if as_json:
        print_json({"codes": TITLES, "topics": topics})
        return
    print_text("\n".join(["Codes", *(f"  {line}" for line in columns(list(TITLES.items())))]))
    print_text("\n".join(["", "Topics", *(f"  {line}" for line in columns(list(topics.items())))]))
