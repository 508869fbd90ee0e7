"""The `nb2prod` command, and the one place where an exception becomes an exit code and a message."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Sequence

import click

from nb2prod import __version__
from nb2prod.cli import (
    archives,
    browse,
    build,
    check,
    ci_template,
    client,
    completion,
    containerize,
    demo,
    deploy,
    deployments,
    doctor,
    env,
    explain,
    forget,
    gate,
    init,
    labels,
    own,
    parity,
    releases,
    replay,
    retrain,
    rollout,
    schedule,
    score,
    serve,
    skew,
    stress,
    suggest,
    usage,
    watch,
)
from nb2prod.cli.output import json_wanted, print_error
from nb2prod.errors import Cancelled, InputError, Nb2ProdError, ParityFailed, Refused
from nb2prod.startup import skip_iri_syntax

_EPILOG = (
    "Exit codes: 0 done; 1 refused (diagnostics or parity); 2 wrong use, unreadable input or environment; "
    "130 interrupted."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=_EPILOG)
@click.version_option(__version__, "--version", prog_name="nb2prod", message="%(prog)s %(version)s")
def app() -> None:
    """Turn a tagged Jupyter notebook into a service that is proved to compute what the notebook computes.

    Tag the cells 'feature', 'train' and 'predict' in Jupyter, save, then: nb2prod build my_notebook.ipynb
    """


for _command in (
    demo.demo,
    suggest.suggest,
    init.init,
    check.check,
    explain.explain,
    build.build,
    parity.parity,
    stress.stress,
    serve.serve,
    containerize.containerize,
    env.env,
    gate.gate,
    gate.promote,
    deploy.deploy,
    rollout.rollout,
    deployments.status,
    deployments.logs,
    own.own,
    watch.watch,
    schedule.schedule,
    retrain.retrain,
    score.score,
    labels.labels,
    replay.replay,
    skew.skew,
    forget.forget,
    deployments.restart,
    deployments.rollback,
    deployments.stop,
    client.client,
    ci_template.ci_template,
    releases.list_releases,
    releases.show,
    browse.open_in_browser,
    archives.diff,
    archives.export,
    archives.import_release,
    archives.gc,
    doctor.doctor,
    completion.completion,
):
    app.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; `sys.argv` unless told."""
    argv = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    debug = _has_flag(argv, "--debug")
    if not debug and not sys.warnoptions:
        # Deprecations inside libraries are nothing that the reader of a build could act on.
        warnings.simplefilter("ignore")
    _end_as_interrupted(signal.SIGTERM)
    skip_iri_syntax()
    try:
        return int(app.main(argv, prog_name="nb2prod", standalone_mode=False) or 0)
    except BrokenPipeError:
        # The reader went away (`nb2prod show x | head`); nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BaseException as error:
        if (
            type(error).__name__ == "NoArgsIsHelpError"
        ):  # of click 8.2 and later: a group without a command shows its help
            click.echo(error)
            return 0
        if debug and not isinstance(error, click.ClickException):
            traceback.print_exc()
        problem = _as_problem(error, argv)
        if problem is None:
            raise
        print_error(problem, as_json=json_wanted(argv), command=_command_of(argv))
        return problem.exit_code


def _end_as_interrupted(number: signal.Signals) -> None:
    """A stop from outside clears up as Ctrl-C does, kernels and staging folders included."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(number, interrupt)


def _as_problem(error: BaseException, argv: Sequence[str]) -> Nb2ProdError | None:
    """The error as one of ours; None for what must end the interpreter."""
    if isinstance(error, (Refused, ParityFailed, Nb2ProdError)):
        return error
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return Cancelled()
    if isinstance(error, click.UsageError):
        return usage.in_words(error, argv)
    if isinstance(error, click.ClickException):
        return InputError(error.format_message())
    if isinstance(error, Exception):
        return Nb2ProdError(
            f"nb2prod failed where it should not have: {type(error).__name__}: {error}",
            "This is a defect of nb2prod, not of your notebook. Run the command again with --debug "
            "and report what it prints.",
        )
    return None


def _has_flag(argv: Sequence[str], flag: str) -> bool:
    return flag in (argv[: argv.index("--")] if "--" in argv else argv)


def _command_of(argv: Sequence[str]) -> str:
    return next((word for word in argv if not word.startswith("-")), "")
