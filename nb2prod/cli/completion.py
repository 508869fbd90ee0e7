"""`nb2prod completion SHELL`: what makes bash, zsh or fish complete commands, options, releases and codes."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

from nb2prod.cli.output import common_options, note, print_json, print_text

_VARIABLE = "_NB2PROD_COMPLETE"
_SHELLS = {
    "bash": 'eval "$(nb2prod completion bash)"   in ~/.bashrc',
    "zsh": 'eval "$(nb2prod completion zsh)"   in ~/.zshrc, after compinit',
    "fish": "nb2prod completion fish > ~/.config/fish/completions/nb2prod.fish",
}


@click.command(short_help="Print the completion of a shell.")
@click.argument("shell", type=click.Choice(sorted(_SHELLS)))
@common_options
def completion(shell: str, *, as_json: bool, debug: bool) -> None:  # noqa: ARG001 (read by `main`)
    r"""Print what makes a shell complete commands, options, files, releases, deployments and codes.

    \b
    bash: eval "$(nb2prod completion bash)"   in ~/.bashrc
    zsh:  eval "$(nb2prod completion zsh)"    in ~/.zshrc, after compinit
    fish: nb2prod completion fish > ~/.config/fish/completions/nb2prod.fish
    """
    text = script(shell)
    if as_json:
        print_json({"shell": shell, "script": text, "use": _SHELLS[shell]})
        return
    print_text(text.rstrip("\n"))
    if sys.stdout.isatty():
        note(f"\nTo switch it on: {_SHELLS[shell]}")


def script(shell: str) -> str:
    """The script for `bash`, `zsh` or `fish`."""
    from nb2prod.cli.app import app

    kind: type[ShellComplete] | None = get_completion_class(shell)
    assert kind is not None
    made = kind(app, {}, "nb2prod", _VARIABLE)
    # `source` would start a bash to ask for its version, and write a warning where there is none.
    return made.source_template % made.source_vars()


def releases(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of releases. Not their versions: a colon begins another word in bash, and a description in zsh."""
    from nb2prod import home

    return _folders(home.releases(), incomplete)


def deployments(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of deployments."""
    from nb2prod import home

    return _folders(home.home() / "deployments", incomplete)


def _folders(root: Path, incomplete: str) -> list[CompletionItem]:
    names = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return [CompletionItem(name) for name in names if name.startswith(incomplete) and not name.startswith(".")]
