"""`nb2prod serve BENTO`: serve it on this machine."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import click

from nb2prod import home
from nb2prod.cli import completion
from nb2prod.cli.output import common_options, note, print_json
from nb2prod.errors import EnvironmentProblem, InputError


@click.command(short_help="Serve a Bento on this machine.")
@click.argument("bento", metavar="BENTO", shell_complete=completion.releases)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@common_options
def serve(bento: str, *, host: str, port: int, as_json: bool, debug: bool) -> None:  # noqa: ARG001
    """Serve a Bento (name, name:version, or its folder) until interrupted."""
    from nb2prod.environments import served

    folder = resolve(bento)
    _check_port(host, port)
    environment = served.of_bento(folder)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if as_json:
        print_json({"bento": bento, "folder": str(folder), "url": url})
        sys.stdout.flush()
    else:
        note(f"Serving {folder} on {url} (Ctrl-C ends it)")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.setdefault("BENTOML_DO_NOT_TRACK", "True")
    os.environ.setdefault("NB2PROD_DATA", str(home.serving()))
    # The server takes this process's place, so that signals and the exit code are its own.
    arguments = ["-m", "bentoml", "serve", str(folder), "--host", host, "--port", str(port)]
    python = str(environment.python)
    os.execv(python, [python, *arguments])  # noqa: S606 (a shell is not wanted)


def resolve(bento: str) -> Path:
    """The absolute folder of a Bento given as a folder, a name (its newest) or name:version."""
    path = Path(bento)
    if path.is_dir():
        if not (path / "bento.yaml").is_file():
            raise InputError(
                f"{bento} is a folder, but not a Bento: it has no bento.yaml",
                "Name a built Bento's folder or its tag; `nb2prod list` shows the tags.",
            )
        return path.absolute()
    from nb2prod.bento import store

    folder = store.folder(bento)
    return Path(folder).absolute()


def _check_port(host: str, port: int) -> None:
    """Said before the server starts: its own error comes late and with a traceback."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise EnvironmentProblem(
            f"can't listen on {host}, port {port}: {error.strerror or error}",
            f"Choose another port, for example: --port {port + 1 if port < 65535 else 3001}",
        ) from error
