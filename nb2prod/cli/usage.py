"""Wrong use in words: what was expected, and an example, where click says less."""

from __future__ import annotations

from collections.abc import Sequence

import click

from nb2prod.errors import InputError

_WHAT = {
    "NB": ("a notebook", "my_notebook.ipynb"),
    "NB...": ("a notebook", "my_notebook.ipynb"),
    "BENTO": ("a Bento", "my_notebook (`nb2prod list` names them)"),
    "NAME": ("a name", "my_notebook (`nb2prod list` and `nb2prod status` name them)"),
    "TARGET": ("what to prove", "my_notebook, a Bento's folder, or http://127.0.0.1:3000"),
    "FILE": ("a file", "my_notebook-0123456789abcdef.nb2prod"),
    "A": ("two releases", "my_notebook:live my_notebook"),
    "B": ("a second release", "my_notebook:live my_notebook"),
}


def in_words(error: click.UsageError, argv: Sequence[str]) -> InputError:
    """The error as one of ours."""
    command = _command(error, argv)
    help_hint = f"See: {command} --help"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return _missing(error.param, command, help_hint)
    if isinstance(error, click.BadOptionUsage) and "requires 2 arguments" in error.message:
        return InputError(
            f"{error.option_name} takes two words: a name and its value",
            f"For example: {command} … {error.option_name} year 2013",
        )
    if isinstance(error, click.BadParameter) and error.param is not None:
        expected = _expected(error.param.type)
        if expected:
            return InputError(f"{_name(error.param)}: {error.message.rstrip('.')}", f"Expected {expected}. {help_hint}")
    return InputError(error.format_message(), help_hint)


def _command(error: click.UsageError, argv: Sequence[str]) -> str:
    if error.ctx is not None and error.ctx.parent is not None:
        return error.ctx.command_path
    from nb2prod.cli.app import app

    named = next((word for word in argv if not word.startswith("-")), "")
    return f"nb2prod {named}" if named in app.commands else "nb2prod"


def _missing(parameter: click.Parameter, command: str, help_hint: str) -> InputError:
    metavar = str(parameter.metavar or "")
    if metavar in _WHAT:
        what, example = _WHAT[metavar]
        return InputError(f"{command.rpartition(' ')[2]}: {what} is missing", f"For example: {command} {example}")
    expected = _expected(parameter.type)
    return InputError(
        f"{command}: {_name(parameter)} is missing", f"Expected {expected}. {help_hint}" if expected else help_hint
    )


def _name(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Option):
        return max(parameter.opts, key=len)
    return str(parameter.metavar or parameter.name)


def _expected(kind: click.ParamType[object]) -> str:
    """What values a parameter takes, in words; empty where click's own will do."""
    if isinstance(kind, click.Choice):
        return f"one of {', '.join(map(str, kind.choices))}"
    if isinstance(kind, (click.IntRange, click.FloatRange)):
        number = "a whole number" if isinstance(kind, click.IntRange) else "a number"
        low = "" if kind.min is None else f" from {kind.min:g}"
        high = "" if kind.max is None else f" to {kind.max:g}"
        return f"{number}{low}{high or (' on' if low else '')}"
    if kind is click.INT or kind is click.FLOAT:
        return "a whole number" if kind is click.INT else "a number"
    return ""
