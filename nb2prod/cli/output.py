"""What the commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from nb2prod import diagnostics
from nb2prod.diagnostics import Diagnostic
from nb2prod.errors import Nb2ProdError, Refused

_Command = TypeVar("_Command", bound=Callable[..., Any])
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


def common_options(command: _Command) -> _Command:
    """`--json` and `--debug`, as every command has them."""
    command = click.option("--debug", is_flag=True, help="Show a traceback if something fails.")(command)
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")(command)


def json_wanted(argv: Sequence[str]) -> bool:
    """Whether these arguments ask for JSON, also where they can't be parsed."""
    return "--json" in (argv[: argv.index("--")] if "--" in argv else argv)


def print_json(document: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    """The document on standard output, in one line's worth of JSON that any reader takes."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str, allow_nan=True))


def print_text(text: str) -> None:
    """A result on standard output."""
    click.echo(text)


def note(text: str) -> None:
    """A message on standard error."""
    click.echo(text, err=True)


def print_diagnostics(items: Iterable[Diagnostic], notebook_name: str, *, err: bool) -> None:
    """The diagnostics, coloured where the output is a terminal."""
    text = diagnostics.render(items, notebook_name)
    if text:
        click.echo("\n".join(_coloured(line) for line in text.splitlines()), err=err)


def print_error(error: Nb2ProdError, *, as_json: bool, command: str = "") -> None:
    """Why the command ends as it does: a JSON document on standard output, or words on standard error."""
    found = error.diagnostics if isinstance(error, Refused) else ()
    if as_json:
        print_json(_error_document(error, found, command))
        return
    if found:
        # The summary would only repeat what each diagnostic says at its own place.
        print_diagnostics(found, getattr(error, "notebook", "") or "the notebook", err=True)
        note(f"\nRefused: {diagnostics.count(found)}. What a code means: nb2prod explain {_first(found)}")
        _print_hint(error.hint)
        return
    label = click.style("interrupted" if error.exit_code == 130 else "error", fg="red", bold=True)
    text = error.message.removeprefix("interrupted; ") if error.exit_code == 130 else error.message
    note(f"{label}: {text}")
    _print_hint(error.hint)


def _first(found: Sequence[Diagnostic]) -> str:
    return diagnostics.ordered(found)[0].code


def _print_hint(hint: str) -> None:
    for number, line in enumerate(hint.splitlines()):
        note(f"  {'->' if number == 0 else '  '} {line}")


def _error_document(error: Nb2ProdError, found: Sequence[Diagnostic], command: str) -> dict[str, Any]:
    document: dict[str, Any] = {}
    if command == "build":
        # Who reads a build's JSON finds its keys whatever the outcome.
        document = {"bento": None, "path": None, "parity": None, "captured": [], "seconds": {}}
    document["diagnostics"] = [item.to_json() for item in found]
    document["error"] = {key: value for key, value in error.to_json().items() if key != "diagnostics"}
    return document


def _coloured(line: str) -> str:
    word = line.split(" ", 1)[0]
    if word in _COLOURS and not line.startswith(" "):
        head, _, rest = line.partition("  ")
        return click.style(head, fg=_COLOURS[word], bold=True) + "  " + rest
    return line


def is_terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr.isatty()
